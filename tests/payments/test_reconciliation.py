"""The provider's books and ours, side by side: what can be mended is, the rest is left to staff."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders.models import Order
from orders.services import payment
from payments import gateways
from payments.errors import ProviderRefused, ProviderUnavailable
from payments.models import (
    Dispute,
    PaymentAttempt,
    PaymentTransaction,
    ReconciliationBreak,
    Refund,
)
from payments.services import breaks, reconciliation
from payments.services.reconciliation import Report
from payments.simulator.running import Simulator, running_simulator
from shop.clock import now
from shop.models import OutboxMessage
from shop.money import Money
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay, session_of
from tests.outbox import deliver_outbox
from tests.payments.simulated import client_of, session_parameters

pytestmark = pytest.mark.django_db

SOON = timedelta(minutes=5)
LONG_AGO = timedelta(days=400)


@pytest.fixture
def simulator(settings: Any) -> Iterator[Simulator]:
    """A provider of its own: its books hold nothing of other tests."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with running_simulator() as simulator:
        settings.STRIPE_API_BASE = settings.STRIPE_CHECKOUT_ORIGIN = simulator.url
        settings.PAYPAL_API_BASE = simulator.url
        gateways.get_gateway.cache_clear()
        yield simulator
    gateways.get_gateway.cache_clear()


def place(simulator: Simulator) -> Order:
    """Place an order of 28.90 euros that is paid at the provider, and nobody told us."""
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    pay(simulator, order)
    return order


@pytest.fixture
def order(simulator: Simulator) -> Order:
    order = place(simulator)
    payment.check(order)
    deliver_outbox()
    order.refresh_from_db()
    return order


def reconcile(*, back: timedelta = timedelta(hours=1)) -> Report:
    return reconciliation.reconcile("stripe", since=now() - back, until=now() + SOON)


def take_foreign_money(simulator: Simulator) -> str:
    """Let somebody pay on the same account for something that is not ours; return the charge."""
    client = client_of(simulator)
    session = client.v1.checkout.sessions.create(params=session_parameters())
    simulator.approve(session.id, webhook="never")
    paid = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent"]})
    return str(paid.payment_intent.latest_charge)


def change_books(simulator: Simulator, sql: str) -> None:
    simulator.provider.store._run(sql)


def test_books_that_agree_leave_nothing(simulator: Simulator, order: Order) -> None:
    simulator.begin_refund(session_of(order), amount=700, webhook="never")

    report = reconcile()

    assert (report.charges, report.refunds, report.disputes) == (1, 1, 0)
    assert (report.settled, report.imported, report.opened, report.closed) == (0, 1, 0, 0)
    assert report.stumbles == []
    assert breaks.count_open() == 0
    assert Refund.objects.get().status == "succeeded"


def test_a_payment_that_we_missed_is_settled_by_the_run(simulator: Simulator) -> None:
    order = place(simulator)

    report = reconcile()

    order.refresh_from_db()
    assert (report.settled, report.opened) == (1, 0)
    assert (order.status, order.payment_status) == ("placed", "paid")


def test_a_payment_whose_page_we_never_learned_of_is_found_and_settled(
    simulator: Simulator,
) -> None:
    order = place(simulator)
    PaymentAttempt.objects.update(provider_session_id="", redirect_url="", status="created")

    report = reconcile()

    order.refresh_from_db()
    assert (report.settled, report.opened) == (1, 0)
    assert order.status == "placed"


def test_a_dispute_that_we_missed_is_written_down(simulator: Simulator, order: Order) -> None:
    made = simulator.open_dispute(session_of(order), webhook="never")

    assert reconcile().disputes == 1

    assert Dispute.objects.get().provider_id == made["id"]


def test_an_open_dispute_is_asked_about_however_old_it_is(
    simulator: Simulator, order: Order
) -> None:
    made = simulator.open_dispute(session_of(order), webhook="never")
    reconcile()
    simulator.decide_dispute(made["id"], is_won=False, webhook="never")
    change_books(simulator, "UPDATE documents SET created = created - 8640000")
    PaymentTransaction.objects.update(created_at=now() - timedelta(days=100))

    report = reconcile()

    assert report.disputes == 0
    assert Dispute.objects.get().status == "lost"


def test_money_that_nobody_of_us_asked_for_is_a_break_of_theirs_once(
    simulator: Simulator, order: Order
) -> None:
    charge = take_foreign_money(simulator)

    first, second = reconcile(), reconcile()

    found = ReconciliationBreak.objects.get()
    assert (first.opened, second.opened, second.closed) == (1, 0, 0)
    assert (found.subject, found.kind, found.provider_id) == ("charge", "theirs_only", charge)
    assert (found.our_money, found.their_money) == (None, Money(Decimal("37.00"), "EUR"))
    assert found.last_seen_at > found.first_seen_at


def test_money_that_the_provider_does_not_know_is_a_break_of_ours(
    simulator: Simulator, order: Order
) -> None:
    known = PaymentTransaction.objects.get().provider_id
    PaymentTransaction.objects.update(provider_id="ch_lost")
    change_books(simulator, f"UPDATE documents SET kind = 'x' WHERE id = '{known}'")

    reconcile()

    found = ReconciliationBreak.objects.get()
    assert (found.subject, found.kind, found.provider_id) == ("charge", "ours_only", "ch_lost")
    assert (found.transaction, found.attempt) == (
        PaymentTransaction.objects.get(),
        attempt_of(order),
    )
    assert (found.our_money, found.their_money) == (order.total_money, None)


def test_another_amount_at_the_provider_is_a_break_and_closes_once_it_is_right(
    simulator: Simulator, order: Order
) -> None:
    change_books(
        simulator,
        "UPDATE documents SET body = replace(body, '\"amount_captured\":2890', "
        "'\"amount_captured\":2891') WHERE kind = 'charge'",
    )
    reconcile()
    found = ReconciliationBreak.objects.get()
    assert (found.kind, found.their_money) == ("differs", Money(Decimal("28.91"), "EUR"))
    assert found.our_money == order.total_money
    change_books(
        simulator,
        "UPDATE documents SET body = replace(body, '\"amount_captured\":2891', "
        "'\"amount_captured\":2890') WHERE kind = 'charge'",
    )

    report = reconcile()

    found.refresh_from_db()
    assert report.closed == 1
    assert (found.status, found.note, found.closed_by) == ("resolved", "The books agree now.", None)


@pytest.mark.breaks_invariants
def test_a_refund_that_failed_in_our_books_only_is_a_break(
    simulator: Simulator, order: Order
) -> None:
    simulator.begin_refund(session_of(order), amount=700, webhook="never")
    reconcile()
    refund = Refund.objects.get()
    PaymentTransaction.objects.filter(kind="refund").delete()
    Refund.objects.update(status="failed", failure="typed by hand")
    Order.objects.update(payment_status="paid")

    reconcile()

    found = ReconciliationBreak.objects.get()
    assert (found.subject, found.kind, found.provider_id) == (
        "refund",
        "differs",
        refund.provider_id,
    )
    assert (found.our_money, found.their_money) == (
        Money.zero("EUR"),
        Money(Decimal("7.00"), "EUR"),
    )


def test_a_break_that_vanished_is_closed_by_a_later_run_of_any_day(
    simulator: Simulator, order: Order
) -> None:
    charge = take_foreign_money(simulator)
    reconcile()
    change_books(simulator, f"UPDATE documents SET kind = 'gone' WHERE id = '{charge}'")

    report = reconciliation.reconcile(
        "stripe", since=now() - LONG_AGO, until=now() - LONG_AGO + timedelta(days=1)
    )

    assert (report.charges, report.closed) == (0, 1)
    assert ReconciliationBreak.objects.get().status == "resolved"


def test_what_staff_accepted_stays_accepted_until_the_amounts_change(
    simulator: Simulator, order: Order
) -> None:
    take_foreign_money(simulator)
    reconcile()
    found = ReconciliationBreak.objects.get()
    staff = StaffFactory()
    assert breaks.close(found.pk, status="accepted", note="Our other shop", by=staff)
    assert not breaks.close(found.pk, status="resolved", note="Again", by=staff)

    assert reconcile().opened == 0
    found.refresh_from_db()
    assert (found.status, found.note, found.closed_by) == ("accepted", "Our other shop", staff)

    ReconciliationBreak.objects.update(theirs=Decimal("36.00"))
    assert reconcile().opened == 1
    found.refresh_from_db()
    assert (found.status, found.note, found.closed_by) == ("open", "", None)


def test_what_was_called_resolved_and_is_not_is_opened_anew(
    simulator: Simulator, order: Order
) -> None:
    take_foreign_money(simulator)
    reconcile()
    found = ReconciliationBreak.objects.get()
    breaks.close(found.pk, status="resolved", note="Looked", by=StaffFactory())

    assert reconcile().opened == 1

    found.refresh_from_db()
    assert found.status == "open"


def test_a_long_day_is_read_page_by_page(
    simulator: Simulator, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    from payments.gateways import stripe_books

    monkeypatch.setattr(stripe_books, "PAGE", 2)
    for _ in range(4):
        take_foreign_money(simulator)

    report = reconcile()

    assert (report.charges, report.opened) == (5, 4)


def test_a_declined_card_took_no_money(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    simulator.decline(session_of(order))

    report = reconcile()

    assert (report.charges, report.opened) == (0, 0)


def test_a_provider_that_is_away_is_said_and_nothing_is_assumed(
    simulator: Simulator, order: Order
) -> None:
    simulator.add_fault("refunds.list", "error_500_before")

    with pytest.raises(ProviderUnavailable):
        reconcile()

    assert breaks.count_open() == 0
    with pytest.raises(ProviderRefused):
        reconciliation.reconcile("nobody", since=now(), until=now() + SOON)


def test_yesterday_is_reconciled_once_by_tasks_of_a_few_hours(
    simulator: Simulator, order: Order
) -> None:
    day = reconciliation.yesterday()

    for _ in range(2):
        reconciliation.plan_day(day)

    planned = OutboxMessage.objects.filter(key__startswith="reconcile:stripe:").order_by("pk")
    assert planned.count() == 6
    bounds = [(row.payload["since"], row.payload["until"]) for row in planned]
    since, until = reconciliation.bounds_of(day)
    assert (bounds[0][0], bounds[-1][1]) == (since.isoformat(), until.isoformat())
    assert [end for _, end in bounds[:-1]] == [start for start, _ in bounds[1:]]
    deliver_outbox()
    assert planned.filter(done_at=None).count() == 0


# The command ---------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[str, str]:
    """Run the command; return what it printed, and its complaint."""
    output = StringIO()
    try:
        call_command("reconcile_payments", *arguments, stdout=output)
    except CommandError as error:
        return output.getvalue(), str(error)
    return output.getvalue(), ""


def today() -> list[str]:
    return ["--since", (now() - timedelta(hours=1)).isoformat()]


def test_the_command_prints_what_it_did(simulator: Simulator) -> None:
    place(simulator)

    text, complaint = run(*today())

    assert complaint == ""
    assert "looked at   1 payments, 0 refunds, 0 disputes" in text
    assert "mended      1 payments settled, 0 refunds imported" in text
    assert "breaks      0 open, 0 of them new; 0 closed" in text


def test_the_command_fails_while_breaks_are_open(simulator: Simulator, order: Order) -> None:
    charge = take_foreign_money(simulator)

    text, complaint = run(*today())

    assert f"only at the provider: payment {charge}, ours nothing, theirs 37 EUR." in text
    assert complaint.startswith("1 breaks are open")


def test_the_command_speaks_json(simulator: Simulator, order: Order) -> None:
    charge = take_foreign_money(simulator)

    text, complaint = run(*today(), "--json", "--provider", "stripe")

    [report] = json.loads(text)
    assert complaint
    assert (report["provider"], report["charges"], report["opened"]) == ("stripe", 2, 1)
    assert [found["provider_id"] for found in report["breaks"]] == [charge]


def test_the_command_takes_a_day_and_looks_at_yesterday_by_itself(
    simulator: Simulator, order: Order
) -> None:
    assert run()[1] == ""
    assert run("--day", "2026-01-31")[1] == ""
    assert run("--since", "2026-01-01", "--until", "2026-01-31")[1] == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--day", "yesterday"],
        ["--day", "2026-02-30"],
        ["--day", "2026-01-01", "--since", "2026-01-01"],
        ["--until", "2026-01-01"],
        ["--since", "2026-02-01", "--until", "2026-01-01"],
        ["--since", "2026-02-01T25:00"],
        ["--provider", "nobody"],
    ],
)
def test_the_command_says_what_it_cannot_do(simulator: Simulator, arguments: list[str]) -> None:
    text, complaint = run(*arguments)

    assert (text, bool(complaint)) == ("", True)
