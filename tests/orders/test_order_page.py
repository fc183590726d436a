"""The order's page: for its owner or whoever holds the secret link, and for nobody else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders import queries
from orders.access import make_key, order_url
from orders.models import Order
from payments.simulator.running import Simulator
from shop.clock import now
from shop.templatetags.dates import day
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery, place_order
from tests.journeys.shopper import Shopper, pay, words_of

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

    with CaptureQueriesContext(connection) as statements:
        page = client.get(address(order))

    assert page.status_code == 200
    assert len(statements) == 8


def test_a_paid_order_says_what_happens_next_and_when(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_delivery()
    shopper = Shopper()
    order = shopper.buy(VariantFactory(product__seller__handling_days=2))
    pay(simulator, order)
    shopper.come_back(order)
    friday = datetime(2026, 11, 20, 11, tzinfo=UTC)
    Order.objects.update(paid_at=friday)
    order.refresh_from_db()
    monkeypatch.setattr(queries, "localdate", lambda value=None: friday.date())

    expectation = queries.get_order_view(order).expectation

    assert expectation == queries.Expectation(
        leaves_by=date(2026, 11, 24), arrives_from=date(2026, 11, 26), arrives_by=date(2026, 11, 30)
    )
    assert "What happens next" in shopper.see(order)


def test_a_promise_that_was_not_kept_is_not_shown(simulator: Simulator) -> None:
    make_delivery()
    shopper = Shopper()
    order = shopper.buy(VariantFactory())
    pay(simulator, order)
    shopper.come_back(order)
    Order.objects.update(paid_at=now() - timedelta(days=60))
    order.refresh_from_db()

    assert queries.get_order_view(order).expectation is None
    assert "A few days later" in shopper.see(order)


def test_paper_has_what_an_accountant_asks_for(simulator: Simulator) -> None:
    make_delivery()
    shopper = Shopper()
    order = shopper.buy(
        VariantFactory(sku="MUG-MOSS", price=Decimal("24.00"), product__title="Dune mug"),
        quantity=2,
    )
    pay(simulator, order)

    page = shopper.come_back(order)

    receipt = " ".join(page[page.index('<div class="receipt') :].split())
    for words in (
        "Dune mug <small>MUG-MOSS</small></td> <td>2</td> <td>€24.00</td> <td>19%</td> <td>€48.00</td>",
        "<td>€52.90</td>",
        "<td>VAT 19%</td> <td>€44.46</td> <td>€8.44</td>",
        "Ada Lovelace<br>Unter den Linden 1<br>10117 Berlin<br>Germany",
    ):
        assert words in receipt
    assert settings.SHOP_ADDRESS in page
    assert f"Paid on {day(now())}" in page
