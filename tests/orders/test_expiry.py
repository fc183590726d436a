"""Unpaid orders end, late money is welcome while stock is left, and nobody pays for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command

from catalog.models import StockLevel
from orders.models import Order
from orders.services import cancellation, expiry, payment
from payments.errors import ProviderUnavailable
from payments.models import Refund
from payments.simulator.running import Simulator
from shop.clock import now
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay, session_in, session_of
from tests.outbox import deliver_outbox
from tests.payments.events import event_of, post_event
from tests.payments.simulated import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mails(settings: Any, simulator: Simulator) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    yield
    simulator.provider.faults.clear()


def let_time_pass(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(expires_at=now() - timedelta(seconds=1))


def start_without_an_answer(simulator: Simulator, order: Order) -> str:
    """Open the provider's page, and lose its answer; return the session's id."""
    simulator.add_fault("checkout.sessions.create", "timeout_after", seconds=0.05)
    with pytest.raises(ProviderUnavailable):
        payment.start(order)
    newest = client_of(simulator).v1.checkout.sessions.list(params={"limit": 1}).data[0]
    assert newest.client_reference_id == attempt_of(order).reference
    return newest.id


def expire_and_pay_late(simulator: Simulator, order: Order) -> None:
    """Give an order up of whose page we never heard, and let the shopper pay on it anyway."""
    session_id = start_without_an_answer(simulator, order)
    let_time_pass(order)
    assert expiry.sweep() == 1
    simulator.approve(session_id, webhook="never")


def hear_of_it(simulator: Simulator, session_id: str) -> None:
    post_event(event_of(simulator, session_id, "checkout.session.completed"))
    deliver_outbox()


def newest_session(simulator: Simulator) -> str:
    return client_of(simulator).v1.checkout.sessions.list(params={"limit": 1}).data[0].id


def test_an_order_that_is_not_paid_in_time_gives_its_pieces_back(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    let_time_pass(order)

    expired = expiry.sweep()

    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert expired == 1
    assert (order.status, order.payment_status, order.stage) == ("expired", "voided", "Cancelled")
    assert (level.on_hand, level.allocated) == (3, 0)
    session = client_of(simulator).v1.checkout.sessions.retrieve(session_of(order))
    assert session.status == "expired"
    assert expiry.sweep() == 0


def test_an_order_whose_time_is_not_over_is_left_alone(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)

    expired = expiry.sweep()

    order.refresh_from_db()
    assert (expired, order.status, StockLevel.objects.get().allocated) == (0, "pending", 1)


def test_a_payment_of_the_last_second_wins_over_expiry(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    pay(simulator, order)
    let_time_pass(order)

    expired = expiry.sweep()

    order.refresh_from_db()
    assert (expired, order.status, order.payment_status) == (0, "placed", "paid")


@pytest.mark.parametrize("kind", ["error_500_before", "timeout_before", "bad_json", "status_429"])
def test_while_the_provider_cannot_be_asked_the_pieces_stay_reserved(
    simulator: Simulator, kind: str
) -> None:
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    let_time_pass(order)
    simulator.add_fault("checkout.sessions.retrieve", kind, seconds=0.05)

    assert expiry.sweep() == 0
    order.refresh_from_db()
    assert (order.status, StockLevel.objects.get().allocated) == ("pending", 2)

    assert expiry.sweep() == 1
    assert StockLevel.objects.get().allocated == 0


def test_one_order_that_cannot_be_settled_does_not_keep_the_others(simulator: Simulator) -> None:
    first, second = place_order(VariantFactory(stock=3)), place_order(VariantFactory(stock=3))
    for order in (first, second):
        payment.start(order)
    let_time_pass(first)
    let_time_pass(second)
    simulator.add_fault("checkout.sessions.retrieve", "error_500_before")

    assert expiry.sweep() == 1

    assert sorted(Order.objects.values_list("status", flat=True)) == ["expired", "pending"]


def test_late_money_places_the_order_while_its_pieces_are_still_there(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3), quantity=2)
    expire_and_pay_late(simulator, order)

    hear_of_it(simulator, newest_session(simulator))

    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert (order.status, order.payment_status, order.stage) == ("placed", "paid", "Processing")
    assert (level.on_hand, level.allocated) == (1, 0)
    assert [message.subject for message in mail.outbox] == [f"Your order {order.number} – Emporium"]
    assert Refund.objects.count() == 0


def test_late_money_goes_back_by_itself_when_the_pieces_are_gone_and_the_shopper_is_told(
    simulator: Simulator,
) -> None:
    variant = VariantFactory(stock=2)
    order = place_order(variant, quantity=2)
    expire_and_pay_late(simulator, order)
    late_session = newest_session(simulator)
    place_order(variant, quantity=1)

    hear_of_it(simulator, late_session)
    hear_of_it(simulator, late_session)

    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert (order.status, order.payment_status, order.stage) == ("expired", "refunded", "Refunded")
    assert (level.on_hand, level.allocated) == (2, 1)
    intent = attempt_of(order).provider_payment_id
    sent = client_of(simulator).v1.refunds.list(params={"payment_intent": intent}).data
    assert [refund.amount for refund in sent] == [5290]
    assert [message.subject for message in mail.outbox] == [
        f"Your payment for order {order.number} came too late – Emporium"
    ]


def test_money_for_a_cancelled_order_goes_back_and_the_shopper_is_told(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3))
    session_id = start_without_an_answer(simulator, order)
    cancellation.cancel(order, by=StaffFactory(), reason="Asked for by mail")
    simulator.approve(session_id, webhook="never")
    deliver_outbox()
    mail.outbox.clear()

    hear_of_it(simulator, session_id)

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert Refund.objects.get().status == "succeeded"
    assert [message.subject for message in mail.outbox] == [
        f"A payment for order {order.number} goes back to you – Emporium"
    ]


def test_a_second_payment_of_a_paid_order_goes_back_by_itself_and_the_shopper_is_told(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3))
    forgotten = start_without_an_answer(simulator, order)
    attempt_of(order).__class__.objects.update(expires_at=now() + timedelta(minutes=5))
    simulator.approve(session_in(payment.start(order)), webhook="never")
    payment.check(order)
    deliver_outbox()
    mail.outbox.clear()
    simulator.approve(forgotten, webhook="never")

    hear_of_it(simulator, forgotten)

    order.refresh_from_db()
    level = StockLevel.objects.get()
    refund = Refund.objects.get()
    assert (order.status, order.payment_status, order.stage) == ("placed", "paid", "Processing")
    assert (refund.status, refund.attempt.provider_session_id) == ("succeeded", forgotten)
    assert (level.on_hand, level.allocated) == (2, 0)
    assert [message.subject for message in mail.outbox] == [
        f"A payment for order {order.number} goes back to you – Emporium"
    ]


def test_the_command_says_how_many_orders_expired(simulator: Simulator, capsys: Any) -> None:
    let_time_pass(place_order(VariantFactory(stock=3)))

    call_command("sweep")

    assert "Swept; 1 unpaid orders expired." in capsys.readouterr().out
