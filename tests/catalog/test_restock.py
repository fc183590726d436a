"""Back in stock: asked, confirmed by mail, told once, and nobody learns who else asked."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from catalog.models import Product, ProductVariant, RestockRequest
from catalog.services import restock, stock
from orders.services import expiry
from shop.clock import now
from shop.models import Mail
from tests.factories.catalog import (
    OptionFactory,
    OptionValueFactory,
    ProductFactory,
    VariantFactory,
)
from tests.factories.orders import place_order
from tests.forms import submit
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db
ASK = "/back-in-stock/"


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def ink() -> ProductVariant:
    """The mug in ink, sold out."""
    product = ProductFactory(slug="dune-mug", title="Dune mug")
    glaze = OptionFactory(product=product, name="Glaze")
    return VariantFactory(
        product=product, sku="MUG-INK", label="Ink", stock=0,
        values=[OptionValueFactory(option=glaze, label="Ink")],
    )  # fmt: skip


def ask(variant: ProductVariant, email: str = "ada@example.com", **headers: str) -> Any:
    return Client().post(ASK, {"variant": variant.pk, "email": email}, headers=headers)


def find_key(mail: Mail) -> str:
    found = re.search(r"/back-in-stock/(\S+)/", mail.text)
    assert found
    return found[1]


def ask_and_confirm(variant: ProductVariant, email: str = "ada@example.com") -> str:
    ask(variant, email)
    deliver_outbox()
    mail = Mail.objects.filter(kind="catalog.restock_question", recipient=email).latest("pk")
    key = find_key(mail)
    Client().post(f"{ASK}{key}/", {"action": "confirm"})
    return key


def refill(variant: ProductVariant, pieces: int = 3) -> None:
    with transaction.atomic():
        stock.count(variant, pieces, reason="delivery")


def told() -> list[str]:
    deliver_outbox()
    mails = Mail.objects.filter(kind="catalog.restocked").order_by("pk")
    return list(mails.values_list("recipient", flat=True))


def test_a_sold_out_variant_offers_to_tell_and_one_in_stock_does_not(client, ink) -> None:
    VariantFactory(product=ink.product, sku="MUG-SAND")

    sold_out = client.get("/products/dune-mug/?variant=MUG-INK").content.decode()
    there = client.get("/products/dune-mug/?variant=MUG-SAND").content.decode()

    assert f'action="{ASK}"' in sold_out
    assert f'action="{ASK}"' not in there


def test_from_the_question_to_the_one_mail(ink) -> None:
    answer = ask(ink, "Ada@Example.com")
    deliver_outbox()

    assert answer["Location"] == "/back-in-stock/sent/"
    question = Mail.objects.get()
    assert (question.kind, question.recipient) == ("catalog.restock_question", "ada@example.com")
    assert "Dune mug, Ink" in question.subject

    key = find_key(question)
    client = Client()
    page = client.get(f"{ASK}{key}/")
    assert RestockRequest.objects.get().confirmed_at is None
    submit(client, page, f"{ASK}{key}/", {"action": "confirm"})
    refill(ink)

    assert told() == ["ada@example.com"]
    mail = Mail.objects.get(kind="catalog.restocked")
    assert "/products/dune-mug/?variant=MUG-INK" in mail.text
    refill(ink, 0)
    refill(ink, 5)
    assert told() == ["ada@example.com"]


def test_who_did_not_confirm_is_not_told(ink) -> None:
    ask(ink)
    refill(ink)

    assert told() == []


def test_who_asked_first_is_told_first(ink) -> None:
    for name in ("ada", "bruno", "chidi"):
        ask_and_confirm(ink, f"{name}@example.com")

    refill(ink, 1)

    assert told() == ["ada@example.com", "bruno@example.com", "chidi@example.com"]


def test_what_came_back_before_the_confirmation_is_told_at_once(ink) -> None:
    ask(ink)
    deliver_outbox()
    refill(ink)

    Client().post(f"{ASK}{find_key(Mail.objects.get())}/", {"action": "confirm"})

    assert told() == ["ada@example.com"]


def test_a_piece_that_an_unpaid_order_gives_back_is_told_too(ink) -> None:
    refill(ink, 1)
    order = place_order(ink)
    ask_and_confirm(ink)
    assert told() == []

    type(order).objects.filter(pk=order.pk).update(expires_at=now() - timedelta(hours=1))
    expiry.sweep()

    assert told() == ["ada@example.com"]


def test_what_comes_back_without_a_movement_is_found_by_the_sweep(ink) -> None:
    ask_and_confirm(ink)
    refill(ink, 0)
    Product.objects.update(status=Product.Status.DRAFT)
    refill(ink)
    assert told() == []

    Product.objects.update(status=Product.Status.ACTIVE)

    assert restock.sweep() == 1
    assert told() == ["ada@example.com"]


def test_asking_twice_sends_one_question(ink) -> None:
    ask(ink)
    ask(ink)
    deliver_outbox()

    assert Mail.objects.count() == RestockRequest.objects.count() == 1


def test_the_answer_is_the_same_for_who_asked_before_and_who_did_not(ink) -> None:
    ask_and_confirm(ink)

    known = ask(ink, **{"HX-Request": "true"})
    unknown = ask(ink, "nobody@example.com", **{"HX-Request": "true"})

    assert known.content == unknown.content
    assert known.status_code == unknown.status_code == 200


def test_an_address_gets_only_a_few_questions_a_day(ink, settings) -> None:
    others = [VariantFactory(product=ink.product, stock=0) for _ in range(8)]

    for variant in others:
        assert ask(variant).status_code == 302
    deliver_outbox()

    assert Mail.objects.count() == restock.MOST_QUESTIONS_A_DAY


def test_who_asks_very_often_is_asked_to_wait(ink, settings) -> None:
    settings.LIMITS_FREE_NETWORKS = []
    answers = [ask(ink, f"ada-{number}@example.com") for number in range(11)]

    assert [answer.status_code for answer in answers] == [302] * 10 + [429]
    assert "often in a short time" in answers[-1].content.decode()
    assert RestockRequest.objects.count() == 10


@pytest.mark.parametrize("email", ["", "ada", "ada@", "<script>@x.de", "a" * 300 + "@example.com"])
def test_what_is_no_address_is_told_and_kept(ink, email: str) -> None:
    answer = ask(ink, email)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Enter " in page or "at most 254 characters" in page
    assert "<script>@" not in page
    assert RestockRequest.objects.count() == 0


@pytest.mark.parametrize("variant", ["", "x", "0", "-1", "999999999", "9" * 40, "\0"])
def test_a_variant_that_does_not_exist_is_not_for_sale(variant: str) -> None:
    answer = Client().post(ASK, {"variant": variant, "email": "ada@example.com"})

    assert answer.status_code == 200
    assert "no longer for sale" in answer.content.decode()


def test_what_is_in_stock_again_needs_no_mail(ink) -> None:
    refill(ink)

    assert "It is in stock again" in ask(ink).content.decode()
    assert RestockRequest.objects.count() == 0


def test_taking_it_back_forgets_the_address(ink) -> None:
    key = ask_and_confirm(ink)

    Client().post(f"{ASK}{key}/", {"action": "forget"})
    refill(ink)

    assert RestockRequest.objects.count() == 0
    assert told() == []
    assert "Nothing is planned" in Client().get(f"{ASK}{key}/").content.decode()


@pytest.mark.parametrize("key", ["nonsense", "1", "1.x", "%00", "x" * 500])
def test_a_made_up_link_changes_nothing(ink, key: str) -> None:
    ask(ink)

    assert Client().get(f"{ASK}{key}/").status_code == 200
    assert Client().post(f"{ASK}{key}/", {"action": "forget"}).status_code in (200, 302)
    assert RestockRequest.objects.count() == 1


def test_another_site_cannot_ask(ink) -> None:
    answer = Client().post(
        ASK, {"variant": ink.pk, "email": "a@example.com"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )  # fmt: skip

    assert answer.status_code == 403
    assert RestockRequest.objects.count() == 0


def test_old_requests_are_forgotten(ink) -> None:
    ask(ink)
    key = ask_and_confirm(ink, "bruno@example.com")
    week = now() - timedelta(days=8)
    RestockRequest.objects.filter(confirmed_at=None).update(asked_at=week)
    RestockRequest.objects.filter(email="bruno@example.com").update(asked_at=week)

    restock.sweep()

    assert list(RestockRequest.objects.values_list("email", flat=True)) == ["bruno@example.com"]
    assert key


def test_the_mail_is_in_the_language_of_who_asked(ink) -> None:
    Client().post("/de/back-in-stock/", {"variant": ink.pk, "email": "ada@example.com"})
    deliver_outbox()

    mail = Mail.objects.get()
    assert (mail.language, "/de/back-in-stock/" in mail.text) == ("de", True)
