"""The sweep: one broken order keeps nobody, the slow wait their turn, and no stock is held for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from catalog.models import StockLevel
from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import expiry, payment
from payments.models import PaymentAttempt
from payments.simulator.running import Simulator
from shop.clock import now
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay
from tests.payments.simulated import client_of

pytestmark = pytest.mark.django_db

READ_PAGE = "checkout.sessions.retrieve"


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator) -> Iterator[None]:
    yield
    simulator.provider.faults.clear()


def let_time_pass(order: Order, *, minutes: int = 1) -> None:
    Order.objects.filter(pk=order.pk).update(expires_at=now() - timedelta(minutes=minutes))


def start_order() -> Order:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    return order


@pytest.mark.breaks_invariants
def test_an_order_whose_books_are_broken_does_not_keep_the_others_from_expiring(
    simulator: Simulator,
) -> None:
    broken, fine = place_order(VariantFactory(stock=3)), place_order(VariantFactory(stock=3))
    let_time_pass(broken, minutes=5)
    let_time_pass(fine)
    StockLevel.objects.filter(variant=broken.lines.get().variant_id).update(allocated=0)

    expired = expiry.sweep()

    broken.refresh_from_db()
    fine.refresh_from_db()
    assert (expired, broken.status, fine.status) == (1, "pending", "expired")


@pytest.mark.breaks_invariants
def test_a_payment_that_cannot_be_booked_does_not_keep_the_others(simulator: Simulator) -> None:
    broken, fine = start_order(), start_order()
    pay(simulator, broken)
    pay(simulator, fine)
    StockLevel.objects.filter(variant=broken.lines.get().variant_id).update(allocated=0)

    expiry.sweep()

    broken.refresh_from_db()
    fine.refresh_from_db()
    assert (broken.status, fine.status) == ("pending", "placed")


def test_a_sweep_without_time_asks_nothing_and_the_next_one_goes_on(simulator: Simulator) -> None:
    order = start_order()
    pay(simulator, order)

    expiry.sweep(seconds=0)
    assert attempt_of(order).asked_at is None
    expiry.sweep()

    order.refresh_from_db()
    assert order.status == "placed"


def test_what_was_asked_about_longest_ago_is_asked_about_first(simulator: Simulator) -> None:
    first, second = start_order(), start_order()
    PaymentAttempt.objects.filter(pk=attempt_of(first).pk).update(
        asked_at=now() - timedelta(minutes=10)
    )
    PaymentAttempt.objects.filter(pk=attempt_of(second).pk).update(
        asked_at=now() - timedelta(minutes=20)
    )
    pay(simulator, first)
    pay(simulator, second)
    simulator.add_fault(READ_PAGE, "error_500_before")

    expiry.sweep()

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("placed", "pending")


def test_a_payment_that_may_still_come_is_not_asked_about_each_minute(
    simulator: Simulator,
) -> None:
    order = start_order()
    expiry.sweep()
    pay(simulator, order)

    expiry.sweep()
    order.refresh_from_db()
    assert order.status == "pending"
    PaymentAttempt.objects.update(asked_at=now() - timedelta(minutes=6))
    expiry.sweep()

    order.refresh_from_db()
    assert order.status == "placed"


def test_pressing_pay_again_after_the_time_is_over_does_not_hold_the_pieces_any_longer(
    simulator: Simulator,
) -> None:
    order = start_order()
    client_of(simulator).v1.checkout.sessions.expire(attempt_of(order).provider_session_id)
    payment.check(order)
    let_time_pass(order)

    with pytest.raises(ActionNotAllowed, match="The time to pay this order is over"):
        payment.start(order)

    assert PaymentAttempt.objects.count() == 1
    assert expiry.sweep() == 1
    assert StockLevel.objects.get().allocated == 0


def test_a_page_whose_time_is_over_is_not_offered_any_more(simulator: Simulator) -> None:
    order = start_order()
    PaymentAttempt.objects.update(expires_at=now() - timedelta(seconds=1))
    let_time_pass(order)

    with pytest.raises(ActionNotAllowed):
        payment.start(order)


def test_however_often_paying_is_tried_the_pieces_are_free_after_three_windows(
    simulator: Simulator,
) -> None:
    order = start_order()
    Order.objects.update(created_at=now() - timedelta(minutes=100))
    client_of(simulator).v1.checkout.sessions.expire(attempt_of(order).provider_session_id)
    payment.check(order)

    payment.start(order)

    order.refresh_from_db()
    assert order.expires_at == order.created_at + timedelta(minutes=135)
    Order.objects.update(created_at=now() - timedelta(minutes=110))
    client_of(simulator).v1.checkout.sessions.expire(attempt_of(order).provider_session_id)
    payment.check(order)
    with pytest.raises(ActionNotAllowed, match="The time to pay this order is over"):
        payment.start(order)
