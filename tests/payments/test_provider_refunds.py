"""A refund that somebody began at the provider: it comes into the books once, however it is told."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from orders.models import Order
from orders.services import cancellation, payment
from payments.gateways import get_gateway
from payments.models import PaymentTransaction, ProviderEvent, ReconciliationBreak, Refund
from payments.services import provider_refunds
from payments.simulator.refunds import send_back
from payments.simulator.running import Simulator
from shop.clock import now
from shop.models import OutboxMessage
from shop.money import Money
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay, session_of
from tests.outbox import deliver_outbox
from tests.payments.events import list_events, post_event
from tests.payments.simulated import client_of
from tests.races.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator, settings: Any) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    yield
    simulator.provider.faults.clear()


def make_paid_order(simulator: Simulator) -> Order:
    """A paid order of 28.90 euros."""
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    deliver_outbox()
    order.refresh_from_db()
    assert order.payment_status == "paid"
    return order


@pytest.fixture
def order(simulator: Simulator) -> Order:
    return make_paid_order(simulator)


def tell(simulator: Simulator, order: Order, *kinds: str) -> None:
    """Post what the provider has to tell of these types about an order's payment."""
    for event in list_events(simulator, session_of(order)):
        if event["type"] in kinds:
            post_event(event)
    deliver_outbox()


@pytest.mark.parametrize("kind", ["refund.created", "charge.refunded"])
def test_a_refund_begun_at_the_provider_is_imported_with_its_number(
    simulator: Simulator, order: Order, kind: str
) -> None:
    made = simulator.begin_refund(session_of(order), amount=700, webhook="never")

    tell(simulator, order, kind)

    order.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.key, refund.provider_id) == (f"provider:{made['id']}", made["id"])
    assert (str(refund.money.amount), refund.currency) == ("7.00", "EUR")
    assert (refund.status, refund.reason) == ("succeeded", "Begun at the provider.")
    assert PaymentTransaction.objects.filter(kind="refund").count() == 1
    assert order.payment_status == "partially_refunded"
    lines = order.events.filter(kind="refund_imported").values_list("message", flat=True)
    assert list(lines) == ["€7.00 went back; it was begun at the provider, not in the shop."]


def test_all_events_of_a_refund_told_in_any_number_make_one_row(
    simulator: Simulator, order: Order
) -> None:
    simulator.begin_refund(session_of(order), webhook="never")

    for _ in range(2):
        tell(simulator, order, "refund.created", "charge.refunded")
    OutboxMessage.objects.filter(task="payments.apply_event").update(done_at=None)
    deliver_outbox()

    order.refresh_from_db()
    assert Refund.objects.count() == 1
    assert order.payment_status == "refunded"
    assert order.events.filter(kind="refund_imported").count() == 1
    assert set(ProviderEvent.objects.values_list("outcome", flat=True)) == {
        "refund is succeeded",
        "attempt is captured, 0.00 EUR kept",
    }


def test_amount_and_currency_are_the_providers_word_and_never_the_events(
    simulator: Simulator, order: Order
) -> None:
    simulator.begin_refund(session_of(order), amount=700, webhook="never")
    [event] = [
        e for e in list_events(simulator, session_of(order)) if e["type"] == "refund.created"
    ]
    event["data"]["object"] |= {"amount": 2890, "currency": "usd", "status": "failed"}

    post_event(event)
    deliver_outbox()

    refund = Refund.objects.get()
    assert (str(refund.money.amount), refund.currency, refund.status) == (
        "7.00",
        "EUR",
        "succeeded",
    )


def test_our_own_refund_told_before_its_answer_was_recorded_is_not_imported(
    simulator: Simulator, order: Order
) -> None:
    cancellation.cancel(order, by=StaffFactory(), reason="Cracked")
    own = Refund.objects.get()
    get_gateway("stripe").refund(
        payment_id=attempt_of(order).provider_payment_id, amount=own.money, key=own.key
    )
    OutboxMessage.objects.filter(task="payments.send_refund").update(done_at=now())
    assert Refund.objects.get().provider_id == ""

    tell(simulator, order, "charge.refunded")
    tell(simulator, order, "refund.created")

    order.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.pk, refund.status, refund.is_begun_elsewhere) == (own.pk, "succeeded", False)
    assert order.payment_status == "refunded"
    assert not order.events.filter(kind="refund_imported").exists()


def test_a_refund_of_ours_whose_row_was_lost_gets_its_key_back(
    simulator: Simulator, order: Order
) -> None:
    attempt = attempt_of(order)
    key = f"{attempt.reference}:return"
    amount = attempt.money
    get_gateway("stripe").refund(payment_id=attempt.provider_payment_id, amount=amount, key=key)

    tell(simulator, order, "refund.created")

    assert Refund.objects.get().key == key


def test_a_refund_told_before_the_payment_settles_the_payment_first(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    pay(simulator, order)
    simulator.begin_refund(session_of(order), amount=700, webhook="never")

    tell(simulator, order, "refund.created")

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("placed", "partially_refunded")
    assert Refund.objects.get().status == "succeeded"


def test_a_refund_that_does_not_fit_is_left_to_staff_and_nothing_breaks(
    simulator: Simulator, order: Order
) -> None:
    made = simulator.begin_refund(session_of(order), webhook="never")
    PaymentTransaction.objects.filter(kind="capture").update(amount="20.00")
    attempt = attempt_of(order)
    type(attempt).objects.update(amount="20.00")

    tell(simulator, order, "refund.created", "charge.refunded")

    found = ReconciliationBreak.objects.get()
    assert Refund.objects.count() == 0
    assert (found.kind, found.subject, found.provider_id) == ("theirs_only", "refund", made["id"])
    assert (found.attempt, found.their_money) == (attempt, Money(Decimal("28.90"), "EUR"))
    assert "left to staff as a break" in ProviderEvent.objects.values_list("outcome", flat=True)
    _restore(order)


def _restore(order: Order) -> None:
    """Put the amounts right again, so that the books are whole at the end of the test."""
    PaymentTransaction.objects.filter(kind="capture").update(amount=order.total)
    type(attempt_of(order)).objects.update(amount=order.total)


def test_a_refund_that_was_left_to_staff_is_imported_once_it_fits(
    simulator: Simulator, order: Order
) -> None:
    simulator.begin_refund(session_of(order), webhook="never")
    type(attempt_of(order)).objects.update(amount="20.00")
    PaymentTransaction.objects.filter(kind="capture").update(amount="20.00")
    tell(simulator, order, "refund.created")
    _restore(order)

    tell(simulator, order, "charge.refunded")

    order.refresh_from_db()
    assert Refund.objects.get().status == "succeeded"
    assert ReconciliationBreak.objects.get().status == "resolved"
    assert order.payment_status == "refunded"


def test_staff_refund_at_the_provider_and_in_the_shop_at_once_and_the_money_goes_once(
    simulator: Simulator, order: Order
) -> None:
    cancellation.cancel(order, by=StaffFactory(), reason="Cracked")
    simulator.begin_refund(session_of(order), webhook="never")

    deliver_outbox()

    order.refresh_from_db()
    ours, theirs = Refund.objects.order_by("pk")
    assert (ours.status, ours.is_begun_elsewhere) == ("failed", False)
    assert (theirs.status, theirs.is_begun_elsewhere) == ("succeeded", True)
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    made = client_of(simulator).v1.refunds.list(
        params={"payment_intent": attempt_of(order).provider_payment_id}
    )
    assert [refund.amount for refund in made.data] == [2890]


def test_a_refund_that_failed_before_we_heard_of_it_is_not_imported(
    simulator: Simulator, order: Order
) -> None:
    made = simulator.begin_refund(session_of(order), webhook="never")
    send_back(simulator.provider, made["id"])

    tell(simulator, order, "refund.created", "refund.failed", "charge.refunded")

    order.refresh_from_db()
    assert Refund.objects.count() == 0
    assert order.payment_status == "paid"


def test_an_imported_refund_that_the_bank_gives_back_is_booked_back(
    simulator: Simulator, order: Order
) -> None:
    made = simulator.begin_refund(session_of(order), webhook="never")
    tell(simulator, order, "refund.created")
    send_back(simulator.provider, made["id"])

    tell(simulator, order, "refund.failed")

    order.refresh_from_db()
    assert Refund.objects.get().status == "failed"
    assert order.payment_status == "paid"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_same_refund_told_to_several_workers_at_once_is_imported_once(
    simulator: Simulator,
) -> None:
    order = make_paid_order(simulator)
    simulator.begin_refund(session_of(order), amount=700, webhook="never")
    attempt = attempt_of(order)

    answers = at_once(*[lambda: provider_refunds.take_all_of(attempt)] * 6)

    order.refresh_from_db()
    assert {refund.pk for answer in answers for refund in answer} == {Refund.objects.get().pk}
    assert PaymentTransaction.objects.filter(kind="refund").count() == 1
    assert order.events.filter(kind="refund_imported").count() == 1
    assert order.payment_status == "partially_refunded"
