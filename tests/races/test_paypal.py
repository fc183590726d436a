"""Several at once at a provider that leaves the taking to us: taken once, or given up, never both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from orders.models import Order
from orders.services import cancellation, expiry, payment
from payments.gateways.paypal import PayPalGateway
from payments.models import PaymentAttempt, PaymentTransaction
from payments.services import settlement
from payments.simulator.running import Simulator
from tests.journeys.shopper import attempt_of, session_of
from tests.outbox import deliver_outbox
from tests.payments.paypal import captures_of, events_of, post_event, started_order
from tests.races.threads import at_once, meeting_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _mails(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def order(simulator: Simulator) -> Order:
    """An order whose shopper has agreed at PayPal and not come back yet."""
    order = started_order()
    simulator.approve_order(session_of(order), webhook="never")
    return order


@pytest.fixture
def hold_captures(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """Stop captures on their way to PayPal: one event says that one is there, one lets it go."""
    is_there, may_go = threading.Event(), threading.Event()
    capture = PayPalGateway.capture

    def hold(gateway: PayPalGateway, **options: str) -> Any:
        is_there.set()
        may_go.wait(20)
        return capture(gateway, **options)

    monkeypatch.setattr(PayPalGateway, "capture", hold)
    yield is_there, may_go
    may_go.set()


def test_webhook_return_page_and_sweep_at_once_take_the_money_once(
    simulator: Simulator, order: Order
) -> None:
    attempt_id = attempt_of(order).pk
    [told] = events_of(simulator, "CHECKOUT.ORDER.APPROVED", session_of(order))

    meeting_at(
        PaymentAttempt.objects.all(),
        *(lambda: settlement.settle(attempt_id).status for _time in range(3)),
        lambda: payment.check(order),
        expiry.sweep,
    )
    post_event(simulator, told)
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("placed", "paid")
    assert captures_of(simulator, order) == ["COMPLETED"]
    assert PaymentTransaction.objects.count() == 1


def test_an_order_is_not_given_up_while_its_capture_is_on_the_way(
    simulator: Simulator, order: Order, hold_captures: tuple[Any, Any]
) -> None:
    is_there, may_go = hold_captures
    attempt_id = attempt_of(order).pk

    def give_up() -> str:
        is_there.wait(20)
        try:
            return settlement.settle(attempt_id, give_up=True).status
        finally:
            may_go.set()

    results = at_once(lambda: settlement.settle(attempt_id).status, give_up)

    assert results == ["captured", "processing"]
    assert captures_of(simulator, order) == ["COMPLETED"]


def test_control_without_the_record_of_the_capture_it_is_given_up_and_taken_all_the_same(
    simulator: Simulator,
    order: Order,
    hold_captures: tuple[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_there, may_go = hold_captures
    attempt_id = attempt_of(order).pk
    given_up: list[str] = []
    monkeypatch.setattr(settlement, "_note_capture", lambda _id: settlement.now())

    def give_up() -> None:
        is_there.wait(20)
        try:
            given_up.append(settlement.settle(attempt_id, give_up=True).status)
        finally:
            may_go.set()

    at_once(lambda: settlement.settle(attempt_id).status, give_up)

    assert given_up == ["expired"]
    assert captures_of(simulator, order) == ["COMPLETED"]


def test_cancelling_and_taking_at_once_end_in_one_of_the_two(
    simulator: Simulator, order: Order
) -> None:
    attempt_id = attempt_of(order).pk

    meeting_at(
        PaymentAttempt.objects.all(),
        lambda: settlement.settle(attempt_id),
        lambda: cancellation.cancel_unpaid(order, by=None),
    )
    deliver_outbox()

    order.refresh_from_db()
    ends = {
        ("placed", "paid"): ["COMPLETED"],
        ("cancelled", "voided"): [],
    }
    assert captures_of(simulator, order) == ends[(order.status, order.payment_status)]
