"""The account page: one's own orders, and the way out."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order

pytestmark = pytest.mark.django_db


def test_a_person_finds_their_own_orders_and_nobody_elses(client: Client) -> None:
    mine, theirs = (place_order(VariantFactory(stock=1)) for _ in range(2))
    person = UserFactory()
    Order.objects.filter(pk=mine.pk).update(user=person)
    Order.objects.filter(pk=theirs.pk).update(user=UserFactory())
    client.force_login(person)

    page = client.get("/account/").content.decode()

    assert f"/orders/{mine.number}/" in page
    assert theirs.number not in page
    assert "/accounts/logout/" in page


def test_an_account_without_orders_says_so_kindly(client: Client) -> None:
    client.force_login(UserFactory())

    assert "You have not ordered anything yet" in client.get("/account/").content.decode()


def test_a_stranger_is_asked_to_sign_in_first(client: Client) -> None:
    answer = client.get("/account/")

    assert (answer.status_code, answer.url) == (302, "/accounts/login/?next=/account/")


def test_an_order_is_shown_by_what_was_bought(client: Client) -> None:
    order = place_order(*[VariantFactory(stock=2) for _ in range(6)], quantity=2)
    person = UserFactory(name="Ada Lovelace")
    Order.objects.update(user=person)
    client.force_login(person)

    page = client.get("/account/")

    (card,) = page.context["orders"]
    assert (card.number, card.pieces, card.more) == (order.number, 12, 2)
    assert "Hello, Ada Lovelace" in page.content.decode()
    assert "12 pieces" in page.content.decode()


@pytest.mark.parametrize("count", [1, 7])
def test_the_page_needs_the_same_statements_whatever_was_ordered(
    client: Client, count: int
) -> None:
    person = UserFactory()
    for _ in range(count):
        place_order(*[VariantFactory(stock=1) for _ in range(count)])
    Order.objects.update(user=person)
    client.force_login(person)
    client.get("/account/")

    with CaptureQueriesContext(connection) as queries:
        page = client.get("/account/")

    assert len(page.context["orders"]) == count
    assert len(queries) == 8
