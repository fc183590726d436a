"""Staff see whose money is only set aside, what lapses first, and take it with two clicks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from orders.services import payment
from payments.models import Capture, PaymentAttempt
from payments.simulator.running import Simulator
from shop.clock import now
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.forms import read_form
from tests.journeys.shopper import attempt_of, pay
from tests.orders.admin_steps import make_admin, place_paid_order, sign_in
from tests.orders.test_admin_orders import numbers_in
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/orders/order/"


@pytest.fixture
def staff(simulator: Simulator) -> Client:
    return sign_in(make_admin())


def place_held(simulator: Simulator, settings: Any, *, quantity: int = 2) -> Order:
    settings.PAYMENT_CAPTURE = "later"
    order = place_order(VariantFactory(stock=3, product__title="Dune mug"), quantity=quantity)
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    deliver_outbox()
    settings.PAYMENT_CAPTURE = "at_once"
    return order


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_staff_see_the_amount_take_it_and_may_ship(
    simulator: Simulator, settings: Any, staff: Client
) -> None:
    order = place_held(simulator, settings)
    page = staff.get(f"{LIST}{order.pk}/change/")
    assert "Take the money, then ship" in text_of(page)
    assert "The card's bank keeps it aside until about" in text_of(page).replace("&#x27;", "'")
    assert "Mark as shipped" not in text_of(page)
    assert "Take pieces out" in text_of(page)

    path = f"{LIST}{order.pk}/capture/"
    form = staff.get(path)
    assert "All of the €52.90" in text_of(form)
    assert Capture.objects.count() == 0
    answers = [staff.post(path, read_form(form, path), follow=True) for _click in range(2)]
    assert f"€52.90 is being taken for order {order.number}" in text_of(answers[0])
    assert "The money is being taken" in text_of(answers[0])
    assert Capture.objects.count() == 1
    deliver_outbox()

    done = text_of(staff.get(f"{LIST}{order.pk}/change/"))
    assert "Mark as shipped" in done
    assert "There is no money to take here now." in text_of(staff.get(path, follow=True))


def test_pieces_are_taken_out_before_and_the_form_says_what_that_means(
    simulator: Simulator, settings: Any, staff: Client
) -> None:
    order = place_held(simulator, settings)
    path = f"{LIST}{order.pk}/refund/"
    typed = {f"quantity_{order.lines.get().pk}": "1", "reason": "Cracked"}
    shown = staff.post(path, read_form(staff.get(path), path) | typed | {"reckon": "1"})
    assert "nothing was charged yet" in text_of(shown)
    assert "Take €24.00 less" in text_of(shown)

    sent = staff.post(path, read_form(shown, path) | typed | {"send": "1"}, follow=True)

    assert "€24.00 less will be taken" in text_of(sent)
    assert "never charged" in text_of(sent)
    capture = f"{LIST}{order.pk}/capture/"
    form = read_form(staff.get(capture), capture)
    stale = staff.post(capture, form | {"seen_amount": "52.90"}, follow=True)
    assert "The amount has changed since you saw it." in text_of(stale)
    assert Capture.objects.count() == 0


@pytest.mark.parametrize("nonsense", ["NaN", "x", "1e9", ""])
def test_a_made_up_amount_takes_nothing(
    simulator: Simulator, settings: Any, staff: Client, nonsense: str
) -> None:
    order = place_held(simulator, settings)

    path = f"{LIST}{order.pk}/capture/"
    answer = staff.post(path, read_form(staff.get(path), path) | {"seen_amount": nonsense})

    assert answer.status_code in (200, 302)
    assert Capture.objects.count() == 0


def test_what_is_about_to_lapse_stands_first(
    simulator: Simulator, settings: Any, staff: Client
) -> None:
    paid = place_paid_order(VariantFactory(stock=3))
    calm, pressing = (place_held(simulator, settings) for _ in range(2))
    PaymentAttempt.objects.filter(pk=attempt_of(pressing).pk).update(
        authorised_until=now() + timedelta(hours=5)
    )

    listed = staff.get(LIST)
    assert numbers_in(listed) == [each.number for each in (pressing, paid, calm)]
    assert "Take the money: until" in text_of(listed)
    assert numbers_in(staff.get(LIST, {"work": "take"})) == [pressing.number, calm.number]
    first_page = text_of(staff.get("/admin/"))
    assert "Money to take" in first_page
    assert "1 lapses soon" in first_page


def test_cancelling_says_that_nothing_was_charged(
    simulator: Simulator, settings: Any, staff: Client
) -> None:
    order = place_held(simulator, settings)
    path = f"{LIST}{order.pk}/cancel/"
    form = staff.get(path)
    assert "Nothing was charged: the €52.90 set aside are let go of." in text_of(form)

    staff.post(path, read_form(form, path) | {"reason": "Wrong glaze"})
    deliver_outbox()

    assert attempt_of(order).status == "cancelled"


def test_who_may_only_look_takes_nothing(simulator: Simulator, settings: Any) -> None:
    order = place_held(simulator, settings)
    stranger = Client(enforce_csrf_checks=True)

    assert stranger.get(f"{LIST}{order.pk}/capture/").status_code == 302
    assert stranger.post(f"{LIST}{order.pk}/capture/", {"seen_amount": "52.90"}).status_code in (
        302,
        403,
    )
    assert Capture.objects.count() == 0
