"""PayPal's books and ours: what it lists, disputes and gives back by itself comes into ours, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders.models import Order
from orders.services import cancellation, payment
from payments import gateways
from payments.errors import ProviderUnavailable
from payments.gateways import paypal_books
from payments.gateways.books import get_books, list_providers_with_books
from payments.gateways.breaker import breaker_of
from payments.models import (
    Dispute,
    PaymentAttempt,
    PaymentTransaction,
    ProviderEvent,
    ReconciliationBreak,
    Refund,
)
from payments.services import breaks, listing, provider_refunds, reconciliation
from payments.services.reconciliation import Report
from payments.simulator import paypal_disputes as bank
from payments.simulator import paypal_orders
from payments.simulator.running import Simulator, running_simulator
from shop.clock import now
from shop.models import OutboxMessage
from shop.money import Money
from tests.factories.accounts import StaffFactory
from tests.journeys.shopper import attempt_of, session_of
from tests.outbox import deliver_outbox
from tests.payments.paypal import events_of, paid_order, post_event, started_order

pytestmark = pytest.mark.django_db

SOON = timedelta(minutes=5)
REPORT = "paypal.transactions.report"
WHOLE = Money(Decimal("52.90"), "EUR")


@pytest.fixture(scope="module")
def _provider_of_its_own() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(_provider_of_its_own: Simulator, settings: Any) -> Iterator[Simulator]:
    """A PayPal whose books hold nothing of other tests."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    simulator = _provider_of_its_own
    for table in ("documents", "answers", "deliveries"):
        simulator.provider.store._run(f"DELETE FROM {table}")
    simulator.provider.paypal_report_lag = 0
    settings.STRIPE_API_BASE = settings.PAYPAL_API_BASE = simulator.url
    gateways.get_gateway.cache_clear()
    breaker_of(paypal_books.BREAKER).reset()
    yield simulator
    simulator.provider.faults.clear()
    gateways.get_gateway.cache_clear()


@pytest.fixture
def order(simulator: Simulator) -> Order:
    """A paid order of 52.90 euros: two mugs and the delivery."""
    order = paid_order(simulator)
    deliver_outbox()
    return order


def reconcile(*, back: timedelta = timedelta(hours=1)) -> Report:
    return reconciliation.reconcile("paypal", since=now() - back, until=now() + SOON)


def tell(simulator: Simulator, order: Order, *kinds: str) -> None:
    """Post what PayPal has to tell of these types about an order's capture, then work on it."""
    capture = attempt_of(order).provider_payment_id
    for kind in kinds:
        for event in events_of(simulator, kind, capture):
            post_event(simulator, event)
    deliver_outbox()


def tell_of_dispute(simulator: Simulator, order: Order) -> None:
    tell(simulator, order, *(f"CUSTOMER.DISPUTE.{name}" for name in ("CREATED", "UPDATED")))
    tell(simulator, order, "CUSTOMER.DISPUTE.RESOLVED")


def movements() -> list[tuple[str, Decimal]]:
    rows = PaymentTransaction.objects.exclude(kind="capture").order_by("pk")
    return list(rows.values_list("kind", "amount"))


def outcomes() -> set[str]:
    return set(ProviderEvent.objects.values_list("outcome", flat=True))


def forget(simulator: Simulator, kind: str) -> None:
    simulator.provider.store._run("DELETE FROM documents WHERE kind = ?", (kind,))


# The books -----------------------------------------------------------------------------------------


def test_both_providers_have_books_and_an_offline_one_has_none(settings: Any) -> None:
    assert list_providers_with_books() == ["stripe", "paypal"]
    assert get_books("offline") is None

    settings.PAYPAL_IS_ON = False

    assert list_providers_with_books() == ["stripe"]


def test_a_payment_is_listed_with_our_reference_and_what_paypal_kept_of_it(
    simulator: Simulator, order: Order
) -> None:
    books = get_books("paypal")
    assert books is not None

    [[listed]] = books.list_charges(now() - SOON, now() + SOON)
    asked_for = books.fetch_charge(listed.charge_id)

    attempt = attempt_of(order)
    assert (listed.charge_id, listed.reference) == (attempt.provider_payment_id, attempt.reference)
    assert (listed.captured, listed.fee) == (WHOLE, Money(Decimal("1.67"), "EUR"))
    assert asked_for is not None
    assert (asked_for.captured, asked_for.reference) == (WHOLE, attempt.reference)
    assert books.find_session(listed.payment_id) == session_of(order)
    assert books.find_session("0UNKNOWNUNKNOWN01") == ""


def test_money_that_is_not_taken_yet_is_no_charge(simulator: Simulator) -> None:
    order = started_order()
    simulator.approve_order(session_of(order), outcome="pending", webhook="never")
    payment.check(order)
    books = get_books("paypal")
    assert books is not None

    assert [*books.list_charges(now() - SOON, now() + SOON)] == [[]]
    assert books.fetch_charge(attempt_of(order).provider_payment_id) is None


def test_a_long_time_is_read_in_parts_and_each_part_page_by_page(
    simulator: Simulator, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paypal_books, "PAGE", 1)
    simulator.begin_paypal_refund(session_of(order), amount="7.00", webhook="never")
    simulator.begin_paypal_refund(session_of(order), amount="5.00", webhook="never")

    report = reconcile(back=timedelta(days=70))

    assert (report.charges, report.refunds, report.imported) == (1, 2, 2)
    assert (report.opened, report.stumbles) == (0, [])


# Refunds begun at PayPal ---------------------------------------------------------------------------


def test_a_refund_begun_at_paypal_is_imported_once_however_it_is_told(
    simulator: Simulator, order: Order
) -> None:
    made = simulator.begin_paypal_refund(session_of(order), amount="7.00", webhook="never")

    tell(simulator, order, "PAYMENT.CAPTURE.REFUNDED")
    tell(simulator, order, "PAYMENT.CAPTURE.REFUNDED")
    provider_refunds.take_all_of(attempt_of(order))
    reconcile()

    order.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.key, refund.provider_id) == (f"provider:{made['id']}", made["id"])
    assert (refund.money, refund.status) == (Money(Decimal("7.00"), "EUR"), "succeeded")
    assert movements() == [("refund", Decimal("7.00"))]
    assert order.payment_status == "partially_refunded"
    assert outcomes() == {"refund is succeeded"}
    assert breaks.count_open() == 0


def test_our_own_refund_told_before_its_answer_was_recorded_is_not_imported(
    simulator: Simulator, order: Order
) -> None:
    cancellation.cancel(order, by=StaffFactory(), reason="Cracked")
    own = Refund.objects.get()
    gateways.get_gateway("paypal").refund(
        payment_id=attempt_of(order).provider_payment_id, amount=own.money, key=own.key
    )
    OutboxMessage.objects.filter(task="payments.send_refund").update(done_at=now())

    tell(simulator, order, "PAYMENT.CAPTURE.REFUNDED")
    reconcile()

    order.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.pk, refund.status, refund.is_begun_elsewhere) == (own.pk, "succeeded", False)
    assert order.payment_status == "refunded"


def test_a_refund_of_ours_whose_row_was_lost_gets_its_key_back(
    simulator: Simulator, order: Order
) -> None:
    attempt = attempt_of(order)
    key = f"{attempt.reference}:return"
    gateways.get_gateway("paypal").refund(
        payment_id=attempt.provider_payment_id, amount=attempt.money, key=key
    )

    reconcile()

    assert Refund.objects.get().key == key


def test_staff_refund_at_paypal_and_in_the_shop_at_once_and_the_money_goes_once(
    simulator: Simulator, order: Order
) -> None:
    cancellation.cancel(order, by=StaffFactory(), reason="Cracked")
    simulator.begin_paypal_refund(session_of(order), webhook="never")

    deliver_outbox()

    order.refresh_from_db()
    ours, theirs = Refund.objects.order_by("pk")
    assert (ours.status, ours.is_begun_elsewhere) == ("failed", False)
    assert (theirs.status, theirs.is_begun_elsewhere) == ("succeeded", True)
    assert (order.status, order.payment_status) == ("cancelled", "refunded")


def test_a_refund_that_does_not_fit_is_left_to_staff(simulator: Simulator, order: Order) -> None:
    made = simulator.begin_paypal_refund(session_of(order), webhook="never")
    PaymentTransaction.objects.update(amount="20.00")
    PaymentAttempt.objects.update(amount="20.00")

    tell(simulator, order, "PAYMENT.CAPTURE.REFUNDED")

    found = ReconciliationBreak.objects.get()
    assert (found.provider, found.kind, found.provider_id) == ("paypal", "theirs_only", made["id"])
    assert (outcomes(), Refund.objects.count()) == ({"left to staff as a break"}, 0)
    PaymentTransaction.objects.update(amount=WHOLE.amount)
    PaymentAttempt.objects.update(amount=WHOLE.amount)


# Disputes ------------------------------------------------------------------------------------------


def test_a_question_leaves_the_money_and_is_closed_when_it_is_dropped(
    simulator: Simulator, order: Order
) -> None:
    made = simulator.open_paypal_dispute(session_of(order), is_inquiry=True, webhook="never")
    tell_of_dispute(simulator, order)
    dispute = Dispute.objects.get()
    assert (dispute.provider, dispute.provider_id) == ("paypal", made["id"])
    assert (dispute.status, dispute.reason, dispute.money) == (
        "inquiry",
        "merchandise_or_service_not_received",
        WHOLE,
    )
    assert dispute.due_by is not None
    assert (dispute.due_by - dispute.opened_at).days == 10

    simulator.decide_paypal_dispute(made["id"], is_won=False, webhook="never")
    tell_of_dispute(simulator, order)

    dispute.refresh_from_db()
    assert (dispute.status, movements()) == ("closed", [])


def test_a_claim_is_answered_and_won_and_nothing_moves(simulator: Simulator, order: Order) -> None:
    made = simulator.open_paypal_dispute(session_of(order), is_inquiry=True, webhook="never")
    seen = []
    for change in (bank.escalate, bank.answer):
        change(simulator.provider, made["id"])
        tell_of_dispute(simulator, order)
        seen.append(Dispute.objects.get().status)
    simulator.decide_paypal_dispute(made["id"], is_won=True, webhook="never")
    tell_of_dispute(simulator, order)

    order.refresh_from_db()
    assert seen == ["needs_response", "under_review"]
    assert Dispute.objects.get().status == "won"
    assert (movements(), order.payment_status) == ([], "paid")


@pytest.mark.parametrize("is_told_of_money", [True, False])
@pytest.mark.parametrize("is_reversal_first", [True, False])
def test_a_lost_claim_takes_the_money_once_though_it_is_a_reversal_too(
    simulator: Simulator, order: Order, is_reversal_first: bool, is_told_of_money: bool
) -> None:
    made = simulator.open_paypal_dispute(session_of(order), webhook="never")
    tell_of_dispute(simulator, order)
    decided = simulator.decide_paypal_dispute(made["id"], is_won=False, webhook="never")
    if not is_told_of_money:
        silent = decided | {"movements": []}
        simulator.provider.store.update(silent, label="RESOLVED")

    told = ["PAYMENT.CAPTURE.REVERSED", "CUSTOMER.DISPUTE.RESOLVED"]
    for kind in told if is_reversal_first else reversed(told):
        tell(simulator, order, kind)
    provider_refunds.take_all_of(attempt_of(order))
    simulator.provider.store.update(decided, label="RESOLVED")
    report = reconcile()

    assert Dispute.objects.get().status == "lost"
    assert movements() == [("dispute", WHOLE.amount)]
    assert (Refund.objects.count(), breaks.count_open()) == (0, 0)
    assert (report.refunds, report.disputes, report.stumbles) == (1, 1, [])
    assert outcomes() == {"dispute is needs_response", "dispute is lost"}


def test_what_staff_give_back_during_a_claim_and_the_rest_that_is_taken_are_both_booked(
    simulator: Simulator, order: Order
) -> None:
    made = simulator.open_paypal_dispute(session_of(order), webhook="never")
    simulator.begin_paypal_refund(session_of(order), amount="5.00", webhook="never")
    tell(simulator, order, "PAYMENT.CAPTURE.REFUNDED")
    assert movements() == [("dispute", Decimal("5.00"))]
    rest = made | {"amount": {"currency_code": "EUR", "value": "47.90"}}
    simulator.provider.store.update(rest, label=made["status"])
    lost = simulator.decide_paypal_dispute(made["id"], is_won=False, webhook="never")
    simulator.provider.store.update(lost | {"amount": made["amount"]}, label="RESOLVED")

    tell(simulator, order, "PAYMENT.CAPTURE.REVERSED", "CUSTOMER.DISPUTE.RESOLVED")
    reconcile()

    assert movements() == [("dispute", Decimal("5.00")), ("dispute", Decimal("47.90"))]
    assert (Refund.objects.count(), breaks.count_open()) == (0, 0)


def test_a_banks_chargeback_takes_at_once_and_gives_back_when_it_is_won(
    simulator: Simulator, order: Order
) -> None:
    made = simulator.open_paypal_dispute(session_of(order), is_of_bank=True, webhook="never")
    tell_of_dispute(simulator, order)
    assert movements() == [("dispute", WHOLE.amount)]

    simulator.decide_paypal_dispute(made["id"], is_won=True, webhook="never")
    report = reconcile()

    assert Dispute.objects.get().status == "won"
    assert movements() == [("dispute", WHOLE.amount), ("dispute_won", WHOLE.amount)]
    assert (report.disputes, report.opened) == (1, 0)


def test_a_refund_before_a_claim_and_one_larger_than_it_stay_refunds(
    simulator: Simulator, order: Order
) -> None:
    simulator.begin_paypal_refund(session_of(order), amount="5.00", webhook="never")
    simulator.provider.store._run("UPDATE documents SET body = replace(body, '\"created\":', "
        "'\"created\":1,\"was\":') WHERE kind = 'paypal.refund'")  # fmt: skip
    simulator.open_paypal_dispute(session_of(order), amount="6.00", webhook="never")
    simulator.begin_paypal_refund(session_of(order), amount="7.00", webhook="never")

    provider_refunds.take_all_of(attempt_of(order))

    assert sorted(Refund.objects.values_list("amount", flat=True)) == [5, 7]


def test_no_more_comes_back_than_a_dispute_took(simulator: Simulator, order: Order) -> None:
    made = simulator.open_paypal_dispute(session_of(order), webhook="never")
    gift = {"type": "CREDIT", "reason": "DISPUTE_SETTLEMENT", "at": simulator.provider.now()}
    fee = {"type": "DEBIT", "reason": "CHARGEBACK_FEE", "at": simulator.provider.now()}
    changed = made | {
        "status": "RESOLVED",
        "outcome": "RESOLVED_WITH_PAYOUT",
        "movements": [each | {"amount": made["amount"]} for each in (gift, fee)],
    }
    simulator.provider.store.update(changed, label="RESOLVED")

    tell_of_dispute(simulator, order)

    assert (Dispute.objects.get().status, movements()) == ("won", [])


def test_an_end_that_we_cannot_read_waits_for_paypals_next_word(
    simulator: Simulator, order: Order
) -> None:
    made = simulator.open_paypal_dispute(session_of(order), webhook="never")
    changed = made | {"status": "RESOLVED", "outcome": "SOMETHING_NEW"}
    simulator.provider.store.update(changed, label="RESOLVED")

    tell_of_dispute(simulator, order)

    assert Dispute.objects.get().status == "under_review"


def test_disputes_are_listed_page_by_page_and_only_as_far_back_as_paypal_tells(
    simulator: Simulator, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paypal_books, "PAGE_OF_DISPUTES", 1)
    numbers = {
        simulator.open_paypal_dispute(session_of(order), amount=amount, webhook="never")["id"]
        for amount in ("3.00", "4.00", "5.00")
    }
    books = get_books("paypal")
    assert books is not None

    listed = [each for page in books.list_disputes(now() - timedelta(400), now()) for each in page]

    assert {each.dispute_id for each in listed} == numbers
    assert [*books.list_disputes(now() - timedelta(400), now() - timedelta(200))] == []


# Reconciliation ------------------------------------------------------------------------------------


def test_books_that_agree_leave_nothing(simulator: Simulator, order: Order) -> None:
    report = reconcile()

    assert (report.charges, report.settled, report.opened, report.stumbles) == (1, 0, 0, [])
    assert report.fees == [Money(Decimal("1.67"), "EUR")]
    assert breaks.count_open() == 0


def test_a_payment_that_we_missed_is_settled_by_the_run(simulator: Simulator) -> None:
    order = started_order()
    simulator.approve_order(session_of(order), webhook="never")
    paypal_orders.capture(simulator.provider, session_of(order))
    PaymentAttempt.objects.update(provider_session_id="", status="created")

    report = reconcile()

    order.refresh_from_db()
    assert (report.settled, report.opened) == (1, 0)
    assert (order.status, order.payment_status) == ("placed", "paid")


def test_money_that_nobody_of_us_asked_for_is_a_break_of_theirs_until_it_vanishes(
    simulator: Simulator, order: Order
) -> None:
    capture = attempt_of(order).provider_payment_id
    foreign = simulator.provider.store.get(paypal_orders.CAPTURE, capture)
    assert foreign is not None
    foreign |= {"id": "0FOREIGNFOREIGN01", "custom_id": None, "invoice_id": "other shop"}
    simulator.provider.store.insert(foreign, label="COMPLETED")

    first, second = reconcile(), reconcile()

    found = ReconciliationBreak.objects.get()
    assert (first.opened, second.opened) == (1, 0)
    assert (found.kind, found.subject, found.provider_id) == (
        "theirs_only",
        "charge",
        "0FOREIGNFOREIGN01",
    )
    assert found.their_money == WHOLE
    simulator.provider.store._run("DELETE FROM documents WHERE id = '0FOREIGNFOREIGN01'")
    assert reconcile().closed == 1


def test_money_that_paypal_does_not_know_is_a_break_of_ours(
    simulator: Simulator, order: Order
) -> None:
    for kind in (paypal_orders.CAPTURE, paypal_orders.ORDER):
        forget(simulator, kind)

    report = reconcile()

    found = ReconciliationBreak.objects.get()
    assert (report.charges, report.opened) == (0, 1)
    assert (found.kind, found.our_money, found.their_money) == ("ours_only", WHOLE, None)


def test_another_amount_at_paypal_is_a_break(simulator: Simulator, order: Order) -> None:
    capture = attempt_of(order).provider_payment_id
    kept = simulator.provider.store.get(paypal_orders.CAPTURE, capture)
    assert kept is not None
    kept["amount"]["value"] = "40.00"
    simulator.provider.store.update(kept, label="COMPLETED")

    reconcile()

    found = ReconciliationBreak.objects.get()
    assert (found.kind, found.our_money) == ("differs", WHOLE)
    assert found.their_money == Money(Decimal("40.00"), "EUR")


def test_what_the_report_does_not_show_yet_is_no_break(simulator: Simulator, order: Order) -> None:
    simulator.provider.paypal_report_lag = 3 * 60 * 60

    report = reconcile()

    assert (report.charges, report.opened) == (0, 0)
    assert report.listed_until is not None
    assert (
        timedelta(hours=2, minutes=59)
        < now() - report.listed_until
        <= timedelta(hours=3, minutes=1)
    )


def test_a_report_that_is_further_behind_than_paypal_says_is_read_later(
    simulator: Simulator, order: Order
) -> None:
    simulator.provider.paypal_report_lag = 5 * 60 * 60

    with pytest.raises(ProviderUnavailable):
        reconcile()

    assert breaks.count_open() == 0


def test_yesterday_waits_until_paypal_lists_all_of_it(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = reconciliation.yesterday()
    midnight = reconciliation.bounds_of(day)[1]
    monkeypatch.setattr(reconciliation, "now", lambda: midnight + timedelta(hours=1))
    began_at = datetime.now(tz=UTC)

    reconciliation.plan_day(day)

    def pauses(provider: str) -> list[int]:
        rows = OutboxMessage.objects.filter(key__startswith=f"reconcile:{provider}:").order_by(
            "key"
        )
        return [round((row.available_at - began_at).total_seconds() / 3600) for row in rows]

    assert pauses("stripe") == [0] * 6
    assert pauses("paypal") == [0] * 5 + [2]


@pytest.mark.parametrize("kind", ["error_500_before", "cut_body", "bad_json", "status_429"])
def test_a_paypal_that_is_away_is_said_and_does_not_stop_anybody_from_paying(
    simulator: Simulator, order: Order, kind: str
) -> None:
    for _time in range(5):
        simulator.add_fault(REPORT, kind)
        with pytest.raises(ProviderUnavailable):
            reconcile()

    assert breaker_of(paypal_books.BREAKER).state().status == "open"
    assert breaker_of("paypal").state().status == "closed"
    assert breaks.count_open() == 0


def run_command(*arguments: str) -> tuple[str, str]:
    output, refusal = StringIO(), ""
    try:
        call_command("reconcile_payments", *arguments, stdout=output)
    except CommandError as error:
        refusal = str(error)
    return output.getvalue(), refusal


def test_the_command_does_both_providers_and_says_what_is_not_listed_yet(
    simulator: Simulator, order: Order
) -> None:
    said, refusal = run_command("--since", now().date().isoformat())

    assert refusal == ""
    assert said.startswith("stripe, ")
    assert "paypal, " in said
    assert "  fees        1.67 EUR" in said
    assert "  not yet     paypal may not list what happened after " in said
    reports = json.loads(run_command("--since", now().date().isoformat(), "--json")[0])
    assert [each["provider"] for each in reports] == ["stripe", "paypal"]
    assert reports[1]["fees"] == ["1.67 EUR"]


def test_the_command_asks_the_other_provider_though_one_is_away(
    simulator: Simulator, order: Order
) -> None:
    simulator.add_fault("charges.list", "error_500_before")

    said, refusal = run_command("--since", now().date().isoformat())

    assert said.startswith("paypal, ")
    assert refusal.startswith("stripe: ")
    assert refusal.endswith("Nothing is lost; run it again later.")


# The listing of events -----------------------------------------------------------------------------


def test_an_order_is_settled_by_the_listing_alone(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paypal_books, "PAGE_OF_EVENTS", 1)
    monkeypatch.setattr(listing, "MOST_PAGES", 1)
    order = started_order()
    simulator.approve_order(session_of(order), webhook="never")
    paypal_orders.capture(simulator.provider, session_of(order))
    simulator.begin_paypal_refund(session_of(order), amount="7.00", webhook="never")

    assert [listing.list_events("paypal"), listing.list_events("paypal")] == [1, 0]
    deliver_outbox()

    order.refresh_from_db()
    assert sorted(ProviderEvent.objects.values_list("type", "outcome")) == [
        ("CHECKOUT.ORDER.APPROVED", "attempt is captured"),
        ("PAYMENT.CAPTURE.COMPLETED", "attempt is captured"),
        ("PAYMENT.CAPTURE.REFUNDED", "refund is succeeded"),
    ]
    assert (order.status, order.payment_status) == ("placed", "partially_refunded")


def test_an_event_is_stored_once_whether_it_is_listed_or_told(
    simulator: Simulator, order: Order
) -> None:
    events = events_of(simulator, "PAYMENT.CAPTURE.COMPLETED", session_of(order))
    post_event(simulator, events[0])

    listing.list_events("paypal")
    post_event(simulator, events[0])

    assert ProviderEvent.objects.filter(event_id=events[0]["id"]).count() == 1


def test_a_paypal_that_does_not_answer_is_asked_an_hour_later(
    simulator: Simulator, order: Order
) -> None:
    simulator.add_fault("paypal.events.list", "error_500_before")

    assert [listing.list_everywhere(), listing.list_everywhere()] == [0, 2]
