"""A bank takes money back: staff see it, the books say it, and nothing goes back twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum

from orders.admin.story import get_story
from orders.models import LedgerEntry, LedgerTransaction, Order
from orders.services import cancellation, payment, refunding
from payments.errors import RefundTooLarge
from payments.gateways.books import get_books
from payments.models import (
    Dispute,
    PaymentTransaction,
    ProviderEvent,
    ReconciliationBreak,
    Refund,
)
from payments.services import disputes, refunds
from payments.simulator import disputes as bank
from payments.simulator.running import Simulator
from shop.money import Money
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay, session_of
from tests.outbox import deliver_outbox
from tests.payments.events import list_events, post_event
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
    return order


@pytest.fixture
def order(simulator: Simulator) -> Order:
    return make_paid_order(simulator)


def tell(simulator: Simulator, order: Order) -> None:
    """Post everything that the provider has to tell about disputes of an order's payment."""
    for event in list_events(simulator, session_of(order)):
        if event["type"].startswith("charge.dispute."):
            post_event(event)
    deliver_outbox()


def open_dispute(simulator: Simulator, order: Order, **wishes: Any) -> str:
    made = simulator.open_dispute(session_of(order), webhook="never", **wishes)
    tell(simulator, order)
    return str(made["id"])


def timeline_of(order: Order) -> list[str]:
    kinds = order.events.order_by("pk").values_list("kind", flat=True)
    return [kind for kind in kinds if kind.startswith("dispute")]


def movements() -> list[tuple[str, Decimal]]:
    beside = ("capture", "refund", "fee")
    rows = PaymentTransaction.objects.exclude(kind__in=beside).order_by("pk")
    return list(rows.values_list("kind", "amount"))


def ask_for(order: Order, amount: str) -> Refund:
    attempt = attempt_of(order)
    with transaction.atomic():
        return refunds.request(
            attempt,
            amount=Money(Decimal(amount), "EUR"),
            key=f"{attempt.reference}:part",
            reason="broken",
        )


def test_a_dispute_is_written_down_with_its_money_and_its_last_day(
    simulator: Simulator, order: Order
) -> None:
    number = open_dispute(simulator, order)

    dispute = Dispute.objects.get()
    assert (dispute.provider_id, dispute.status, dispute.reason) == (
        number,
        "needs_response",
        "fraudulent",
    )
    assert dispute.money == order.total_money
    assert dispute.due_by is not None
    assert (dispute.due_by - dispute.opened_at).days == 9
    assert movements() == [("dispute", Decimal("28.90"))]
    assert timeline_of(order) == ["dispute_opened", "dispute_moved"]
    assert set(ProviderEvent.objects.values_list("outcome", flat=True)) == {
        "dispute is needs_response"
    }


def test_a_dispute_that_is_won_brings_the_money_back(simulator: Simulator, order: Order) -> None:
    number = open_dispute(simulator, order)
    bank.answer(simulator.provider, number)
    tell(simulator, order)
    assert Dispute.objects.get().status == "under_review"

    simulator.decide_dispute(number, is_won=True, webhook="never")
    tell(simulator, order)

    dispute = Dispute.objects.get()
    order.refresh_from_db()
    assert (dispute.status, dispute.closed_at is not None) == ("won", True)
    assert movements() == [("dispute", Decimal("28.90")), ("dispute_won", Decimal("28.90"))]
    assert timeline_of(order) == [
        "dispute_opened",
        "dispute_moved",
        "dispute_moved",
        "dispute_closed",
    ]
    assert refunds.refundable(attempt_of(order)) == order.total_money
    assert (order.status, order.payment_status) == ("placed", "paid")


def test_a_dispute_that_is_lost_leaves_nothing_to_refund(
    simulator: Simulator, order: Order
) -> None:
    number = open_dispute(simulator, order)
    simulator.decide_dispute(number, is_won=False, webhook="never")

    tell(simulator, order)

    assert Dispute.objects.get().status == "lost"
    assert refunds.refundable(attempt_of(order)) == Money.zero("EUR")
    with pytest.raises(RefundTooLarge):
        ask_for(order, "0.01")
    assert movements() == [("dispute", Decimal("28.90"))]


def test_a_mere_question_of_the_bank_leaves_the_money_and_can_still_be_refunded(
    simulator: Simulator, order: Order
) -> None:
    number = open_dispute(simulator, order, is_inquiry=True)

    assert Dispute.objects.get().status == "inquiry"
    assert movements() == []
    assert refunds.refundable(attempt_of(order)) == order.total_money

    bank.escalate(simulator.provider, number)
    tell(simulator, order)

    assert Dispute.objects.get().status == "needs_response"
    assert refunds.refundable(attempt_of(order)) == Money.zero("EUR")


def test_a_question_that_is_dropped_is_closed(simulator: Simulator, order: Order) -> None:
    number = open_dispute(simulator, order, is_inquiry=True)

    simulator.decide_dispute(number, is_won=False, webhook="never")
    tell(simulator, order)

    assert Dispute.objects.get().status == "closed"


def test_a_dispute_first_heard_of_when_it_is_over_tells_its_beginning_too(
    simulator: Simulator, order: Order
) -> None:
    made = simulator.open_dispute(session_of(order), webhook="never")
    simulator.decide_dispute(made["id"], is_won=True, webhook="never")

    tell(simulator, order)
    tell(simulator, order)

    assert Dispute.objects.get().status == "won"
    assert timeline_of(order) == [
        "dispute_opened",
        "dispute_moved",
        "dispute_moved",
        "dispute_closed",
    ]


def test_an_older_word_of_the_provider_does_not_open_a_closed_dispute(
    simulator: Simulator, order: Order
) -> None:
    number = open_dispute(simulator, order)
    books = get_books("stripe")
    assert books is not None
    old_word = books.fetch_dispute(number)
    simulator.decide_dispute(number, is_won=True, webhook="never")
    tell(simulator, order)

    disputes.take("stripe", old_word)

    assert Dispute.objects.get().status == "won"
    assert timeline_of(order).count("dispute_closed") == 1


def test_a_part_was_refunded_the_rest_is_disputed_and_staff_cancel(
    simulator: Simulator, order: Order
) -> None:
    ask_for(order, "10.00")
    deliver_outbox()
    open_dispute(simulator, order, amount=1890)

    cancellation.cancel(order, by=StaffFactory(), reason="Fraud")
    deliver_outbox()

    order.refresh_from_db()
    assert order.status == "cancelled"
    assert [str(refund.money.amount) for refund in Refund.objects.all()] == ["10.00"]


def test_a_dispute_larger_than_what_is_left_never_makes_a_negative_refund(
    simulator: Simulator, order: Order
) -> None:
    ask_for(order, "10.00")
    deliver_outbox()
    open_dispute(simulator, order)

    assert refunds.refundable(attempt_of(order)) == Money.zero("EUR")
    cancellation.cancel(order, by=StaffFactory(), reason="Fraud")

    assert Refund.objects.count() == 1


def test_what_comes_back_for_a_cancelled_order_goes_to_the_shopper(
    simulator: Simulator, order: Order
) -> None:
    number = open_dispute(simulator, order)
    cancellation.cancel(order, by=StaffFactory(), reason="Fraud")
    deliver_outbox()
    assert Refund.objects.count() == 0

    simulator.decide_dispute(number, is_won=True, webhook="never")
    tell(simulator, order)
    tell(simulator, order)

    order.refresh_from_db()
    assert [(refund.status, refund.money) for refund in Refund.objects.all()] == [
        ("succeeded", order.total_money)
    ]
    assert (order.status, order.payment_status) == ("cancelled", "refunded")


def test_a_dispute_about_a_payment_that_is_not_in_our_books_is_left_to_staff(
    simulator: Simulator, order: Order
) -> None:
    made = simulator.open_dispute(session_of(order), webhook="never")
    attempt = attempt_of(order)
    type(attempt).objects.update(currency="USD")

    tell(simulator, order)

    found = ReconciliationBreak.objects.get()
    assert Dispute.objects.count() == 0
    assert (found.subject, found.kind, found.provider_id) == ("dispute", "theirs_only", made["id"])
    type(attempt).objects.update(currency="EUR")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_refund_a_dispute_and_a_cancellation_at_once_never_pay_out_more_than_was_paid(
    simulator: Simulator,
) -> None:
    order = make_paid_order(simulator)
    made = simulator.open_dispute(session_of(order), amount=2000, webhook="never")
    books = get_books("stripe")
    assert books is not None
    word = books.fetch_dispute(made["id"])
    attempt, staff = attempt_of(order), StaffFactory()

    def refund_a_part() -> Refund:
        with transaction.atomic():
            locked = type(attempt).objects.select_for_update().get(pk=attempt.pk)
            key = f"{attempt.reference}:part"
            sent = refunding.send_back(
                locked, Money(Decimal("5.00"), "EUR"), order, reason="broken", key=key
            )
            assert sent is not None
            return sent

    at_once(
        refund_a_part,
        *[lambda: disputes.take("stripe", word)] * 3,
        lambda: cancellation.cancel(order, by=staff, reason="Fraud"),
    )

    asked = sum((refund.amount for refund in Refund.objects.all()), Decimal(0))
    assert asked <= order.total
    assert Dispute.objects.count() == 1
    assert movements() == [("dispute", Decimal("20.00"))]
    assert timeline_of(order) == ["dispute_opened", "dispute_moved"]


def test_the_fee_of_a_dispute_is_booked_once_and_told_in_the_story(
    simulator: Simulator, order: Order
) -> None:
    open_dispute(simulator, order)
    tell(simulator, order)

    booked = PaymentTransaction.objects.get(kind="fee")
    entries = LedgerEntry.objects.filter(transaction__key=f"fee:{booked.pk}")
    story = get_story(order, with_payloads=False)
    assert (booked.amount, booked.currency) == (Decimal("15.00"), "EUR")
    assert sorted(entries.values_list("account", "amount")) == [
        ("fees", Decimal("15.00")),
        ("provider:stripe", Decimal("-15.00")),
    ]
    assert [event.message for event in order.events.filter(kind="provider_fee")] == [
        "The provider charged €15.00 for the dispute."
    ]
    assert ("fees for disputes", Money(Decimal("15.00"), "EUR")) in story.balances
    assert refunds.get_kept(attempt_of(order)) == order.total_money


def test_a_fee_that_the_provider_takes_back_evens_out(simulator: Simulator, order: Order) -> None:
    number = open_dispute(simulator, order)
    simulator.decide_dispute(number, is_won=True, webhook="never")
    books = get_books("stripe")
    assert books is not None
    found = books.fetch_dispute(number)
    charged, reversed_ = found.movements
    assert (charged.fee, reversed_.fee) == (Money(Decimal("15.00"), "EUR"), None)

    given_back = replace(reversed_, fee=Money(Decimal("-15.00"), "EUR"))
    disputes.take("stripe", replace(found, movements=(charged, given_back)))

    fees = LedgerEntry.objects.filter(account="fees").aggregate(sum=Sum("amount"))["sum"]
    assert PaymentTransaction.objects.get(kind="fee_returned").amount == Decimal("15.00")
    assert fees == 0


def test_a_fee_in_the_currency_of_the_shops_account_is_booked_in_that(
    simulator: Simulator, order: Order
) -> None:
    number = open_dispute(simulator, order, is_inquiry=True)
    bank.escalate(simulator.provider, number)
    books = get_books("stripe")
    assert books is not None
    found = books.fetch_dispute(number)
    (charged,) = found.movements

    dollars = replace(charged, fee=Money(Decimal("15.00"), "USD"))
    disputes.take("stripe", replace(found, movements=(dollars,)))

    booked = LedgerTransaction.objects.get(kind="fee")
    assert booked.currency == "USD"
    assert booked.order == order
