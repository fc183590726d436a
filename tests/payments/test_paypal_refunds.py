"""Money that goes back by PayPal: once, in full or in parts, whatever the network does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from orders.models import Order
from orders.services import cancellation
from payments.errors import ProviderUnavailable, UnknownAtProvider
from payments.gateways import get_gateway
from payments.models import PaymentTransaction, Refund
from payments.services import refunds
from payments.simulator import paypal_orders
from payments.simulator.running import Simulator
from shop.clock import now
from shop.money import Money
from tests.factories.accounts import StaffFactory
from tests.journeys.shopper import attempt_of, session_of
from tests.outbox import deliver_outbox
from tests.payments.paypal import (
    READ,
    REFUND,
    captures_of,
    events_of,
    list_kept,
    paid_order,
    post_event,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator, settings: Any) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    yield
    simulator.provider.faults.clear()


@pytest.fixture
def order(simulator: Simulator) -> Order:
    """An order of two mugs, 52.90 euros, paid by PayPal."""
    order = paid_order(simulator)
    deliver_outbox()
    return order


def request(order: Order, amount: str, *, key: str = "return") -> Refund:
    attempt = attempt_of(order)
    with transaction.atomic():
        return refunds.request(
            attempt,
            amount=Money(Decimal(amount), "EUR"),
            key=f"{attempt.reference}:{key}",
            reason="broken",
        )


def sent_back(simulator: Simulator, order: Order) -> list[str]:
    made = list_kept(simulator, paypal_orders.REFUND)
    return sorted(
        each["amount"]["value"] for each in made if each["payment_intent"] == session_of(order)
    )


def test_a_cancelled_order_is_refunded_in_full(simulator: Simulator, order: Order) -> None:
    cancellation.cancel(order, by=StaffFactory(), reason="Cracked")
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert sent_back(simulator, order) == ["52.90"]
    assert captures_of(simulator, order) == ["REFUNDED"]


def test_two_parts_go_back_under_two_keys(simulator: Simulator, order: Order) -> None:
    request(order, "10.00", key="one")
    request(order, "5.50", key="two")
    deliver_outbox()

    order.refresh_from_db()
    assert sent_back(simulator, order) == ["10.00", "5.50"]
    assert captures_of(simulator, order) == ["PARTIALLY_REFUNDED"]
    assert order.payment_status == "partially_refunded"


@pytest.mark.parametrize("kind", ["timeout_after", "error_500_after", "cut_body", "bad_json"])
def test_a_refund_whose_answer_was_lost_is_not_made_again(
    simulator: Simulator, order: Order, kind: str
) -> None:
    refund = request(order, "10.00")
    simulator.add_fault(REFUND, kind, seconds=0)

    with pytest.raises(ProviderUnavailable):
        refunds.send(refund.pk)
    again = refunds.send(refund.pk)

    assert again.status == "succeeded"
    assert sent_back(simulator, order) == ["10.00"]
    assert PaymentTransaction.objects.filter(kind="refund").count() == 1


def test_a_refund_that_left_long_ago_is_found_by_its_key(
    simulator: Simulator, order: Order
) -> None:
    refund = request(order, "10.00")
    simulator.add_fault(REFUND, "timeout_after", seconds=0)
    with pytest.raises(ProviderUnavailable):
        refunds.send(refund.pk)
    simulator.provider.store.forget_answers(before=simulator.provider.now() + 1)
    Refund.objects.update(created_at=now() - timedelta(days=46))

    found = refunds.send(refund.pk)

    assert found.status == "succeeded"
    assert sent_back(simulator, order) == ["10.00"]


def test_a_refund_that_nobody_made_is_not_found(simulator: Simulator, order: Order) -> None:
    found = get_gateway("paypal").find_refund(
        payment_id=attempt_of(order).provider_payment_id, key="never-made"
    )

    assert found is None


def test_more_than_is_left_is_refused_and_the_refund_fails(
    simulator: Simulator, order: Order
) -> None:
    refund = request(order, "10.00")
    paypal_orders.refund(simulator.provider, attempt_of(order).provider_payment_id, {})

    failed = refunds.send(refund.pk)

    assert failed.status == "failed"
    assert failed.failure.startswith("CAPTURE_FULLY_REFUNDED: ")


def test_the_news_of_a_refund_settles_it(simulator: Simulator, order: Order) -> None:
    refund = request(order, "10.00")
    simulator.add_fault(REFUND, "timeout_after", seconds=0)
    with pytest.raises(ProviderUnavailable):
        refunds.send(refund.pk)

    capture_id = attempt_of(order).provider_payment_id
    [told] = events_of(simulator, "PAYMENT.CAPTURE.REFUNDED", capture_id)
    post_event(simulator, told)
    deliver_outbox()

    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert attempt_of(order).events.get().outcome == "refund is succeeded"


def test_a_refund_that_fails_later_is_booked_back_when_it_is_asked_about(
    simulator: Simulator, order: Order
) -> None:
    refund = refunds.send(request(order, "10.00").pk)
    paypal_orders.fail_refund(simulator.provider, refund.provider_id)

    failed = refunds.check(refund.pk)

    assert (failed.status, failed.failure) == ("failed", "ECHECK")
    assert captures_of(simulator, order) == ["COMPLETED"]
    kinds = PaymentTransaction.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["capture", "refund", "reversal"]


def test_a_refund_of_another_account_is_unknown(simulator: Simulator, order: Order) -> None:
    with pytest.raises(UnknownAtProvider):
        get_gateway("paypal").fetch_refund(refund_id="0ANOTHERACCOUNTS1")


def test_a_refund_that_cannot_be_looked_for_is_asked_for_again_later(
    simulator: Simulator, order: Order
) -> None:
    refund = request(order, "10.00")
    Refund.objects.update(created_at=now() - timedelta(days=2))
    simulator.add_fault(READ, "error_500_before")

    with pytest.raises(ProviderUnavailable):
        refunds.send(refund.pk)
    assert sent_back(simulator, order) == []
    refunds.send(refund.pk)

    assert sent_back(simulator, order) == ["10.00"]


def test_paypal_that_forgot_the_key_but_not_the_refund_names_the_first_one(
    simulator: Simulator, order: Order
) -> None:
    refund = refunds.send(request(order, "10.00").pk)
    simulator.provider.store.forget_answers(before=simulator.provider.now() + 1)

    again = get_gateway("paypal").refund(
        payment_id=attempt_of(order).provider_payment_id, amount=refund.money, key=refund.key
    )

    assert (again.refund_id, again.is_settled) == (refund.provider_id, True)
    assert sent_back(simulator, order) == ["10.00"]
