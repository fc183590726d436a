"""Webhooks, the return page, the sweeper and staff all settle at the same moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from catalog.models import StockLevel
from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import cancellation, expiry, fulfilment, payment
from payments.models import PaymentAttempt, PaymentTransaction, ProviderEvent, Refund
from payments.services import refunds, settlement
from payments.simulator.running import Simulator
from shop.clock import now
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay, session_of
from tests.outbox import deliver_outbox
from tests.payments.events import event_of, post_event
from tests.races.threads import at_once, meeting_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def order(simulator: Simulator, settings: Any) -> Order:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    return order


def test_webhook_return_page_and_sweeper_at_once_pay_the_order_once(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    attempt_id = attempt_of(order).pk

    results = meeting_at(
        PaymentAttempt.objects.all(),
        *(lambda: settlement.settle(attempt_id).status for _ in range(3)),
        lambda: payment.check(order),
        expiry.sweep,
    )
    deliver_outbox()

    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert results == ["captured", "captured", "captured", None, 0]
    assert (order.status, order.payment_status) == ("placed", "paid")
    assert PaymentTransaction.objects.count() == 1
    assert (level.on_hand, level.allocated) == (1, 0)
    assert len(mail.outbox) == 1


@pytest.mark.breaks_invariants  # Nobody hears the news, so nobody books it.
def test_control_without_the_lock_on_the_attempt_the_payment_is_booked_more_than_once(
    simulator: Simulator, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(simulator, order)
    attempt_id = attempt_of(order).pk
    monkeypatch.setattr(settlement, "lock_attempt", settlement._read)
    booked: list[int] = []
    monkeypatch.setattr(
        settlement.attempt_captured, "send", lambda *args, **kwargs: booked.append(1)
    )

    meeting_at(
        PaymentAttempt._base_manager.all(),
        lambda: settlement.settle(attempt_id),
        lambda: settlement.settle(attempt_id),
    )

    assert len(booked) == 2
    PaymentAttempt.objects.update(status="held")


def test_the_same_webhook_delivered_twice_at_once_is_stored_once(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    event = event_of(simulator, session_of(order), "checkout.session.completed")

    answers = at_once(*(lambda: post_event(event).status_code for _ in range(4)))
    deliver_outbox()

    assert answers == [200, 200, 200, 200]
    assert ProviderEvent.objects.count() == 1
    assert len(mail.outbox) == 1


def test_expiry_and_payment_at_once_never_leave_a_paid_order_without_pieces(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    Order.objects.update(expires_at=now() - timedelta(minutes=1))
    attempt_id = attempt_of(order).pk

    meeting_at(
        Order.objects.all(),
        lambda: settlement.settle(attempt_id),
        lambda: expiry._expire(order.pk),
    )

    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert (order.status, order.payment_status) == ("placed", "paid")
    assert (level.on_hand, level.allocated) == (1, 0)


def test_a_refund_sent_by_two_workers_at_once_goes_out_once(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    payment.check(order)
    cancellation.cancel(order, by=StaffFactory(), reason="Cracked")
    refund_id = Refund.objects.get().pk

    results = at_once(*(lambda: refunds.send(refund_id).status for _ in range(2)))

    # The provider may ask the second one to come back later; it never refunds twice.
    assert set(map(str, results)) <= {
        "succeeded",
        "The payment provider does not answer. Nothing was charged; please try again.",
    }
    refunds.send(refund_id)
    assert PaymentTransaction.objects.filter(kind="refund").count() == 1
    order.refresh_from_db()
    assert order.payment_status == "refunded"


def test_a_parcel_packed_by_two_people_at_once_leaves_once(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    payment.check(order)
    part = order.seller_orders.get()

    results = meeting_at(
        Order.objects.all(),
        *(lambda: fulfilment.ship(part, carrier="DHL", by=None) for _ in range(2)),
    )

    assert sorted(type(result).__name__ for result in results) == [
        ActionNotAllowed.__name__,
        "Shipment",
    ]


def test_shipping_and_cancelling_at_once_end_in_one_of_the_two(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    payment.check(order)
    part = order.seller_orders.get()
    staff = StaffFactory()

    results = meeting_at(
        Order.objects.all(),
        lambda: fulfilment.ship(part, carrier="DHL", by=staff),
        lambda: cancellation.cancel(order, by=staff, reason="Changed their mind"),
    )

    order.refresh_from_db()
    refused = [result for result in results if isinstance(result, ActionNotAllowed)]
    assert len(refused) == 1
    assert (order.status, order.fulfilment_status) in {
        ("placed", "fulfilled"),
        ("cancelled", "unfulfilled"),
    }
