"""The timeline is for staff: its words are in the language of the shop, whoever's click wrote them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catalog.services import stock
from orders.models import Order
from orders.services import expiry
from payments.models import PaymentAttempt, Refund
from payments.simulator.running import Simulator
from shop.clock import now
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.journeys.shopper import Shopper, pay, session_of

pytestmark = pytest.mark.django_db


def buy_in_german() -> tuple[Shopper, Order]:
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory(stock=3))
    page = shopper.client.get("/de/checkout/")
    assert shopper.client.post("/de/checkout/", shopper.fill(page)).status_code == 302
    return shopper, Order.objects.get()


def words_of_timeline(order: Order) -> list[str]:
    return list(order.events.order_by("pk").values_list("message", flat=True))


def test_a_german_shopper_cancels_and_staff_read_it_in_the_shops_language(
    simulator: Simulator,
) -> None:
    shopper, order = buy_in_german()
    page = shopper.client.get(f"/de/orders/{order.number}/")

    shopper.press(page, f"/de/orders/{order.number}/cancel/")

    assert words_of_timeline(order) == [
        "Ordered, waiting for payment.",
        "A payment was not completed.",
        "Cancelled before paying.",
    ]


def test_a_german_shopper_pays_and_staff_read_amount_and_words_in_the_shops_language(
    simulator: Simulator,
) -> None:
    shopper, order = buy_in_german()
    pay(simulator, order)

    shopper.client.get(f"/de/orders/{order.number}/returned/")

    assert words_of_timeline(order) == ["Ordered, waiting for payment.", "Paid €28.90."]


def test_why_money_went_back_is_written_in_the_shops_language_too(simulator: Simulator) -> None:
    shopper, order = buy_in_german()
    simulator.approve(session_of(order), webhook="never")
    PaymentAttempt.objects.update(status="expired")
    Order.objects.update(expires_at=now() - timedelta(minutes=1))
    assert expiry._expire(order.pk)
    stock.set_on_hand(order.lines.get().variant, 0, actor=None, reason="Fell off the shelf")

    shopper.client.get(f"/de/orders/{order.number}/returned/")

    assert Refund.objects.get().reason == "Paid too late, and no longer in stock."
    assert words_of_timeline(order)[-1] == "Paid too late, and no longer in stock."
