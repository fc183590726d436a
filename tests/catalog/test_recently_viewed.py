"""Cards of what somebody looked at before, by ids that only their browser knows."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.models import Product
from catalog.queries.recent import SHOWN
from shop.page_cache.asking import Asking
from tests.factories.catalog import BuyableProductFactory

pytestmark = pytest.mark.django_db


def ask(client: Client, ids: object) -> list[str]:
    answer = client.get("/cards/", {"ids": ids})
    assert answer.status_code == 200
    return [card.title for card in answer.context["cards"]]


def test_cards_come_in_the_order_asked_for_each_once(client: Client) -> None:
    mug, bowl = BuyableProductFactory(title="Mug"), BuyableProductFactory(title="Bowl")

    assert ask(client, f"{bowl.pk},{mug.pk},{bowl.pk}") == ["Bowl", "Mug"]
    assert "You looked at" in client.get(f"/cards/?ids={mug.pk}").text


def test_what_is_not_for_sale_makes_room_for_the_next(client: Client) -> None:
    products = [BuyableProductFactory(title=str(number)) for number in range(7)]
    Product.objects.filter(title="1").update(status=Product.Status.DRAFT)

    shown = ask(client, ",".join(str(product.pk) for product in products))

    assert shown == ["0", "2", "3", "4"]
    assert len(shown) == SHOWN


@pytest.mark.parametrize(
    "ids", ["", "0", ",", "1,,2", "x", "-1", "1;2", "9" * 40, "1," * 99 + "1", "\x00", "١", " 1"]
)
def test_garbage_finds_nothing_and_asks_nothing(client: Client, ids: str) -> None:
    BuyableProductFactory()

    answer = client.get("/cards/", {"ids": ids})

    assert (answer.status_code, answer.text.strip()) == (200, "")


def test_the_answer_is_anybodys_and_fills_no_memory_of_the_shop(client: Client) -> None:
    mug = BuyableProductFactory()
    asking = Asking()

    answer = client.get(f"/cards/?ids={mug.pk}", **{Asking.KEY: asking})

    assert not answer.cookies
    assert "public" in answer.headers["Cache-Control"]
    assert not asking.sources
