"""Double clicks, two tabs and the back button: one order, and every submit lands on it."""

from __future__ import annotations

from typing import Any

import pytest

from cart.models import Cart
from cart.services import carts
from catalog.models import StockLevel
from orders.models import Order
from orders.views import checkout
from payments.models import PaymentAttempt
from payments.simulator.running import Simulator
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.journeys.shopper import Shopper, pay, session_of
from tests.races.threads import meeting_at

pytestmark = pytest.mark.race


def shopper_at_checkout(*, stock: int = 3, quantity: int = 1) -> Shopper:
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory(stock=stock), quantity)
    return shopper


@pytest.mark.django_db(transaction=True)
def test_two_submits_of_a_form_at_the_same_time_make_one_order_and_one_payment_page(
    simulator: Simulator,
) -> None:
    shopper = shopper_at_checkout()
    fields = shopper.fill()
    tabs = [shopper.other_tab(), shopper.other_tab()]

    answers = meeting_at(
        Cart.objects.all(), *(lambda tab=tab: tab.client.post("/checkout/", fields) for tab in tabs)
    )

    order = Order.objects.get()
    assert PaymentAttempt.objects.count() == 1
    # The provider may tell the second call that the first is still under way.
    payment_page = f"{simulator.url}/pay/{session_of(order)}"
    assert {answer.url for answer in answers} <= {payment_page, f"/orders/{order.number}/"}
    assert StockLevel.objects.get().allocated == 1


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_on_the_cart_one_of_two_submits_fails(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper = shopper_at_checkout()
    fields = shopper.fill()
    tabs = [shopper.other_tab(), shopper.other_tab()]
    for tab in tabs:
        tab.client.raise_request_exception = False
    monkeypatch.setattr(carts, "lock", lambda cart_id: Cart.objects.get(pk=cart_id))

    answers = meeting_at(
        StockLevel.objects.all(),
        *(lambda tab=tab: tab.client.post("/checkout/", fields) for tab in tabs),
    )

    # The unique submit key, the last line of defence, still holds; but somebody sees an error page.
    assert sorted(answer.status_code for answer in answers) == [302, 500]
    assert Order.objects.count() == 1


@pytest.mark.django_db
def test_a_second_click_while_the_first_takes_the_last_pieces_lands_on_the_order(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper = shopper_at_checkout(stock=2, quantity=2)
    fields = shopper.fill()
    other = shopper.other_tab()
    view_cart = checkout.get_cart_view

    def view_cart_after_the_first_click(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(checkout, "get_cart_view", view_cart)
        other.client.post("/checkout/", fields)
        return view_cart(*args, **kwargs)

    monkeypatch.setattr(checkout, "get_cart_view", view_cart_after_the_first_click)

    answer = shopper.client.post("/checkout/", fields)

    order = Order.objects.get()
    assert answer.url == f"{simulator.url}/pay/{session_of(order)}"
    assert shopper.client.get(f"/orders/{order.number}/").status_code == 200


@pytest.mark.django_db
def test_two_tabs_one_after_the_other_make_one_order(simulator: Simulator) -> None:
    shopper = shopper_at_checkout()
    first, second = shopper.open_checkout(), shopper.open_checkout()

    to_provider = shopper.place(first)
    again = shopper.place(second)

    order = Order.objects.get()
    payment_page = f"{simulator.url}/pay/{session_of(order)}"
    assert (to_provider.url, again.url) == (payment_page, payment_page)
    assert StockLevel.objects.get().allocated == 1


@pytest.mark.django_db(transaction=True)
def test_forms_of_two_tabs_sent_at_the_same_time_make_one_order(simulator: Simulator) -> None:
    shopper = shopper_at_checkout(stock=2, quantity=2)
    forms = [shopper.fill(name="Ada One"), shopper.fill(name="Ada Two")]
    tabs = [shopper.other_tab(), shopper.other_tab()]

    answers = meeting_at(
        Cart.objects.all(),
        *(
            lambda tab=tab, fields=fields: tab.client.post("/checkout/", fields)
            for tab, fields in zip(tabs, forms, strict=True)
        ),
    )

    order = Order.objects.get()
    payment_page = f"{simulator.url}/pay/{session_of(order)}"
    assert {answer.url for answer in answers} <= {payment_page, f"/orders/{order.number}/"}
    assert StockLevel.objects.get().allocated == 2


@pytest.mark.django_db
def test_going_back_after_paying_and_submitting_again_shows_the_paid_order(
    simulator: Simulator,
) -> None:
    shopper = shopper_at_checkout()
    fields = shopper.fill()
    shopper.client.post("/checkout/", fields)
    order = Order.objects.get()
    pay(simulator, order)
    shopper.come_back(order)

    again = shopper.client.post("/checkout/", fields, follow=True)

    assert again.redirect_chain == [(f"/orders/{order.number}/", 302)]
    assert "Thank you for your order" in again.content.decode()
    assert Order.objects.count() == 1
    assert StockLevel.objects.get().on_hand == 2


@pytest.mark.django_db
def test_an_old_form_never_orders_a_newer_cart(simulator: Simulator) -> None:
    shopper = shopper_at_checkout()
    variant = StockLevel.objects.get().variant
    old_form = shopper.fill()
    shopper.client.post("/checkout/", old_form)
    shopper.put(variant, 1)

    again = shopper.client.post("/checkout/", old_form)

    assert again.url == f"{simulator.url}/pay/{session_of(Order.objects.get())}"
    assert StockLevel.objects.get().allocated == 1
