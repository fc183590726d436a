"""Giving up: the shopper before paying, staff until the parcel leaves; pieces and goods come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cart.models import Cart, CartItem, ShippingBand
from catalog.models import StockLevel
from orders.access import make_key
from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import cancellation, fulfilment, payment
from payments.simulator.running import Simulator
from tests.factories.accounts import StaffFactory, UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery, place_order
from tests.journeys.shopper import Shopper, attempt_of, pay, session_of, words_of
from tests.outbox import deliver_outbox
from tests.payments.simulated import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator) -> Iterator[None]:
    make_delivery()
    yield
    simulator.provider.faults.clear()


def give_up(shopper: Shopper, order: Order) -> Any:
    page = shopper.client.get(f"/orders/{order.number}/")
    shopper.press(page, f"/orders/{order.number}/cancel/")
    return shopper.client.get("/cart/")


def in_the_cart() -> dict[str, int]:
    items = CartItem.objects.filter(cart__closed_at=None)
    return dict(items.values_list("variant__product__title", "quantity"))


def test_a_shopper_gives_an_unpaid_order_up_and_finds_everything_in_the_cart(
    simulator: Simulator,
) -> None:
    shopper = Shopper()
    order = shopper.buy(VariantFactory(stock=3, product__title="Dune mug"), quantity=2)

    page = give_up(shopper, order)

    order.refresh_from_db()
    assert "The order is cancelled; everything is back in your cart." in words_of(page)
    assert (order.status, order.payment_status, order.stage) == (
        "cancelled",
        "voided",
        "Cancelled",
    )
    assert in_the_cart() == {"Dune mug": 2}
    assert StockLevel.objects.get().allocated == 0
    session = client_of(simulator).v1.checkout.sessions.retrieve(session_of(order))
    assert session.status == "expired"
    assert shopper.place().status_code == 302


def test_what_was_put_in_a_new_cart_meanwhile_stays_there() -> None:
    shopper = Shopper()
    mug, bowl = VariantFactory(product__title="Dune mug"), VariantFactory(product__title="Bowl")
    order = shopper.buy(mug, quantity=2)
    shopper.put(bowl, 1)
    shopper.put(mug, 1)

    give_up(shopper, order)

    assert in_the_cart() == {"Bowl": 1, "Dune mug": 3}
    assert Cart.objects.filter(closed_at=None).count() == 1


def test_a_guest_with_the_link_of_a_persons_order_does_not_touch_that_persons_cart(
    simulator: Simulator,
) -> None:
    user = UserFactory()
    owner, guest = Shopper(), Shopper()
    owner.client.force_login(user)
    order = owner.buy(VariantFactory(product__title="Dune mug"))

    guest.client.get(f"/orders/{order.number}/", {"key": make_key(order.number)})

    page = give_up(guest, order)

    assert "Dune mug" in words_of(page)
    assert not Cart.objects.filter(user=user, closed_at=None).exists()


def test_while_the_provider_cannot_be_asked_nothing_is_cancelled(simulator: Simulator) -> None:
    shopper = Shopper()
    order = shopper.buy(VariantFactory(stock=3))
    page = shopper.client.get(f"/orders/{order.number}/")
    simulator.add_fault("checkout.sessions.retrieve", "error_500_before")

    answer = shopper.client.post(
        f"/orders/{order.number}/cancel/",
        {"csrfmiddlewaretoken": page.context["csrf_token"]},
        follow=True,
    )

    order.refresh_from_db()
    assert "The payment provider does not answer." in words_of(answer)
    assert (order.status, StockLevel.objects.get().allocated) == ("pending", 1)


def test_nobody_cancels_somebody_elses_order() -> None:
    order = place_order(VariantFactory())
    stranger = Shopper()
    stranger.put(VariantFactory())
    token = stranger.open_checkout().context["csrf_token"]

    answer = stranger.client.post(f"/orders/{order.number}/cancel/", {"csrfmiddlewaretoken": token})

    order.refresh_from_db()
    assert (answer.status_code, order.status) == (404, "pending")


def test_staff_cancel_an_unpaid_order_and_its_pieces_are_free(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)

    cancellation.cancel(order, by=StaffFactory(), reason="Not for sale yet")

    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert (order.status, order.payment_status) == ("cancelled", "voided")
    assert (level.on_hand, level.allocated) == (3, 0)
    assert attempt_of(order).status == "expired"


def test_staff_cancel_without_putting_broken_pieces_back(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    pay(simulator, order)
    payment.check(order)

    cancellation.cancel(order, by=StaffFactory(), reason="Broken", restock=False)
    deliver_outbox()

    order.refresh_from_db()
    assert (order.payment_status, StockLevel.objects.get().on_hand) == ("refunded", 1)


def test_once_a_parcel_has_left_the_order_cannot_be_cancelled(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    fulfilment.ship(order.seller_orders.get(), carrier="DHL", by=None)

    with pytest.raises(ActionNotAllowed):
        cancellation.cancel(order, by=StaffFactory(), reason="Too late")

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("placed", "paid")


def test_nobody_is_promised_money_back_for_an_order_that_cost_nothing() -> None:
    make_delivery()
    ShippingBand.objects.update(price=0)
    shopper = Shopper()
    order = shopper.buy(VariantFactory(stock=3, price=0))

    cancellation.cancel(order, by=StaffFactory(), reason="Out of clay")

    page = shopper.see(order)
    assert "This order is cancelled" in page
    assert "Nothing was charged." in page
    assert "on its way back" not in page
