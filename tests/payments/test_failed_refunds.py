"""A refund is not over when it went through: a bank may give it back, and somebody has to see that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from orders.admin.order_page import get_order_page
from orders.models import Order
from orders.services import cancellation, expiry, payment
from payments.gateways import get_gateway
from payments.gateways.base import RefundResult
from payments.models import PaymentAttempt, PaymentTransaction, ProviderEvent, Refund
from payments.services import refunds
from payments.simulator.refunds import send_back
from payments.simulator.running import Simulator
from shop.clock import now
from shop.models import OutboxMessage
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay, session_in
from tests.outbox import deliver_outbox
from tests.payments.events import list_refund_events, post_event
from tests.payments.simulated import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator, settings: Any) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    yield
    simulator.provider.faults.clear()


@pytest.fixture
def order(simulator: Simulator) -> Order:
    """A paid order of 28.90 euros."""
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    deliver_outbox()
    order.refresh_from_db()
    return order


def cancel(order: Order) -> Refund:
    cancellation.cancel(order, by=StaffFactory(), reason="Cracked")
    return Refund.objects.get()


def bank_gives_back(simulator: Simulator, refund: Refund) -> None:
    """Let a refund fail at the provider days after it went through, and tell the shop."""
    send_back(simulator.provider, refund.provider_id)
    for event in list_refund_events(simulator, refund.provider_id):
        post_event(event)
    deliver_outbox()


def pay_twice(simulator: Simulator) -> Order:
    order = place_order(VariantFactory(stock=3))
    first = payment.start(order)
    PaymentAttempt.objects.update(expires_at=now() + timedelta(minutes=5), redirect_url="")
    second = payment.start(order)
    for url in (first, second):
        simulator.approve(session_in(url), webhook="never")
    payment.check(order)
    deliver_outbox()
    order.refresh_from_db()
    return order


def test_a_refund_that_the_bank_gives_back_is_seen_and_the_order_is_not_called_refunded(
    simulator: Simulator, order: Order
) -> None:
    cancel(order)
    deliver_outbox()
    refund = Refund.objects.get()
    assert refund.status == "succeeded"

    bank_gives_back(simulator, refund)

    order.refresh_from_db()
    refund.refresh_from_db()
    assert (refund.status, refund.failure) == ("failed", "lost_or_stolen_card")
    assert (order.payment_status, order.stage) == ("paid", "Cancelled")
    assert list(PaymentTransaction.objects.values_list("kind", flat=True)) == [
        "capture",
        "refund",
        "reversal",
    ]
    assert order.events.filter(kind="refund_failed").count() == 1
    outcomes = ProviderEvent.objects.filter(type="refund.failed").values_list("outcome", flat=True)
    assert list(outcomes) == ["refund is failed"]


def test_the_news_of_a_failed_refund_may_come_any_number_of_times(
    simulator: Simulator, order: Order
) -> None:
    cancel(order)
    deliver_outbox()
    refund = Refund.objects.get()
    bank_gives_back(simulator, refund)

    refunds.check(refund.pk)
    refunds.check(refund.pk)

    assert PaymentTransaction.objects.filter(kind="reversal").count() == 1
    assert order.events.filter(kind="refund_failed").count() == 1


def test_staff_send_money_that_came_back_once_more(simulator: Simulator, order: Order) -> None:
    cancel(order)
    deliver_outbox()
    bank_gives_back(simulator, Refund.objects.get())

    assert cancellation.send_money_back(order, by=StaffFactory())
    assert not cancellation.send_money_back(order, by=StaffFactory())
    deliver_outbox()

    order.refresh_from_db()
    assert order.payment_status == "refunded"
    assert sorted(Refund.objects.values_list("status", flat=True)) == ["failed", "succeeded"]


def test_a_refund_that_takes_days_is_asked_about_until_it_went_through(
    simulator: Simulator, order: Order
) -> None:
    refund = cancel(order)
    OutboxMessage.objects.filter(task="payments.send_refund").update(done_at=now())
    made = get_gateway("stripe").refund(
        payment_id=attempt_of(order).provider_payment_id, amount=refund.money, key=refund.key
    )
    refunds._record(refund.pk, RefundResult(refund_id=made.refund_id, is_settled=False))
    expiry.sweep()
    refund.refresh_from_db()
    assert refund.status == "pending"
    Refund.objects.update(created_at=now() - timedelta(minutes=16))

    expiry.sweep()

    refund.refresh_from_db()
    order.refresh_from_db()
    assert (refund.status, order.payment_status) == ("succeeded", "refunded")


def test_a_refund_whose_answer_was_lost_for_days_is_found_and_not_made_twice(
    simulator: Simulator, order: Order
) -> None:
    refund = cancel(order)
    OutboxMessage.objects.filter(task="payments.send_refund").update(done_at=now())
    payment_id = attempt_of(order).provider_payment_id
    get_gateway("stripe").refund(payment_id=payment_id, amount=refund.money, key=refund.key)
    simulator.provider.store.forget_answers(before=simulator.provider.clock.now() + 1)
    Refund.objects.update(created_at=now() - timedelta(days=2))

    expiry.sweep()

    refund.refresh_from_db()
    made = client_of(simulator).v1.refunds.list(params={"payment_intent": payment_id}).data
    assert (refund.status, len(made)) == ("succeeded", 1)


def test_a_second_payment_whose_automatic_refund_failed_can_be_sent_back_by_staff(
    simulator: Simulator,
) -> None:
    order = pay_twice(simulator)
    bank_gives_back(simulator, Refund.objects.get())
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("placed", "paid")

    assert get_order_page(order).can_send_back
    assert cancellation.send_money_back(order, by=StaffFactory())
    deliver_outbox()

    order.refresh_from_db()
    sent = Refund.objects.filter(status="succeeded")
    assert [(refund.money, refund.attempt.money) for refund in sent] == [
        (order.total_money, order.total_money)
    ]
    assert (order.status, order.payment_status) == ("placed", "paid")
    assert not get_order_page(order).can_send_back
    assert not cancellation.send_money_back(order, by=StaffFactory())


def test_a_paid_order_has_nothing_to_send_back(order: Order) -> None:
    assert not get_order_page(order).can_send_back
    assert not cancellation.send_money_back(order, by=StaffFactory())

    assert Refund.objects.count() == 0


def test_each_late_payment_that_goes_back_is_told(simulator: Simulator) -> None:
    variant = VariantFactory(stock=1)
    order = place_order(variant)
    first = session_in(payment.start(order))
    PaymentAttempt.objects.update(expires_at=now() + timedelta(minutes=5), redirect_url="")
    second = session_in(payment.start(order))
    for session_id in (first, second):
        simulator.approve(session_id, webhook="never")
    PaymentAttempt.objects.update(status="expired")
    Order.objects.update(expires_at=now() - timedelta(minutes=1))
    assert expiry._expire(order.pk)
    place_order(variant)

    payment.check(order, ended_too=True)
    deliver_outbox()

    order.refresh_from_db()
    assert order.payment_status == "refunded"
    told = [mail.kind for mail in get_order_page(order).mails]
    assert told == ["orders.refunded_late", "orders.refunded_late"]
