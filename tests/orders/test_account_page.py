"""The account page: one's own orders, and the way out."""

from __future__ import annotations

import pytest
from django.test import Client

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
