"""The order's page: for its owner or whoever holds the secret link, and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.access import make_key, order_url
from orders.models import Order
from payments.simulator.running import Simulator
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery, place_order
from tests.journeys.shopper import Shopper, words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    return place_order(VariantFactory(stock=3, product__title="Dune mug"))


def address(order: Order) -> str:
    return f"/orders/{order.number}/"


def test_the_secret_link_lets_a_browser_in_and_then_vanishes_from_the_address(
    order: Order, client: Client
) -> None:
    link = order_url(order.number, language="en").removeprefix(settings.SHOP_URL)

    answer = client.get(link, follow=True)

    assert answer.redirect_chain == [(address(order), 302)]
    assert "Dune mug" in words_of(answer)
    assert client.get(address(order)).status_code == 200


def test_the_mail_of_a_german_order_links_to_the_german_page(order: Order) -> None:
    assert f"/de/orders/{order.number}/" in order_url(order.number, language="de")


@pytest.mark.parametrize("page", ["", "returned/", "status/"])
def test_a_stranger_sees_nothing(order: Order, client: Client, page: str) -> None:
    assert client.get(f"{address(order)}{page}").status_code == 404


def test_the_key_of_one_order_opens_no_other(order: Order, client: Client) -> None:
    other = place_order(VariantFactory())

    answer = client.get(address(order), {"key": make_key(other.number)})

    assert answer.status_code == 404


@pytest.mark.parametrize("spoil", [str.lower, str.upper, lambda key: key[:-1], lambda key: key * 2])
def test_a_key_that_is_almost_right_opens_nothing(order: Order, client: Client, spoil: Any) -> None:
    answer = client.get(address(order), {"key": spoil(make_key(order.number))})

    assert answer.status_code == 404


def test_a_person_sees_their_own_orders_and_no_others(order: Order, client: Client) -> None:
    owner, other = UserFactory(), UserFactory()
    Order.objects.update(user=owner)

    client.force_login(other)
    assert client.get(address(order)).status_code == 404
    client.force_login(owner)
    assert client.get(address(order)).status_code == 200


def test_the_page_is_kept_by_no_cache_and_found_by_no_search_engine(
    simulator: Simulator,
) -> None:
    make_delivery()
    shopper = Shopper()
    order = shopper.buy(VariantFactory())

    page = shopper.client.get(address(order))

    assert "no-store" in page["Cache-Control"]
    assert "noindex" in words_of(page)


def test_what_a_shopper_typed_is_shown_as_text(client: Client, order: Order) -> None:
    order.addresses.update(name="<script>alert(1)</script>", street="%A %N {{ 7 }}")

    page = words_of(client.get(address(order), {"key": make_key(order.number)}, follow=True))

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "%A %N {{ 7 }}" in page


@pytest.mark.parametrize("count", [1, 40])
def test_the_page_needs_the_same_statements_whatever_was_ordered(
    client: Client, count: int
) -> None:
    order = place_order(*[VariantFactory() for _ in range(count)])
    client.get(address(order), {"key": make_key(order.number)})
    client.get(address(order))

    with CaptureQueriesContext(connection) as queries:
        page = client.get(address(order))

    assert page.status_code == 200
    assert len(queries) == 9
