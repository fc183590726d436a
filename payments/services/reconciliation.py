"""Reconciliation: the provider's books and ours laid side by side, thing by thing.

What can be mended is mended on the way: a payment that we missed is settled, a refund begun at the
provider is imported, a dispute is brought up to date. What cannot is left as a break.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.utils import translation
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _

from payments.errors import ProviderRefused, ProviderUnavailable, UnknownAtProvider
from payments.gateways.books import (
    Books,
    ProviderCharge,
    ProviderDispute,
    ProviderRefund,
    get_books,
    list_providers_with_books,
)
from payments.models import (
    Dispute,
    PaymentAttempt,
    PaymentTransaction,
    ReconciliationBreak,
    Refund,
)
from payments.services import breaks, disputes, provider_refunds, settlement
from payments.services.breaks import Finding, Subject
from payments.services.finding import find_attempt_of
from shop.clock import now
from shop.money import Money, total
from shop.services import outbox
from shop.transactions import no_transaction, own_transaction

logger = logging.getLogger(__name__)

TASK = "payments.reconcile"
LATER = 9
WINDOW = timedelta(hours=4)
"""A task reconciles so much of a day, well within the time that a task may take."""
MOST_BREAKS = 50
T = TypeVar("T")
PAID = (PaymentAttempt.Status.CAPTURED, PaymentAttempt.Status.HELD)


@dataclass
class Report:
    """What a run looked at and what came of it. `stumbles` are things that could not be compared.

    `fees` is what the provider kept of the payments, where it says so. It may not list yet what
    happened after `listed_until`.
    """

    provider: str
    since: datetime
    until: datetime
    charges: int = 0
    refunds: int = 0
    disputes: int = 0
    settled: int = 0
    imported: int = 0
    opened: int = 0
    closed: int = 0
    fees: list[Money] = field(default_factory=list)
    listed_until: datetime | None = None
    stumbles: list[str] = field(default_factory=list)


@no_transaction
def reconcile(provider: str, *, since: datetime, until: datetime) -> Report:
    """Compare what the provider did from `since` up to `until` with our books, both ways.

    Then every break that is still open is looked at again, whenever it was found. Repeating it
    makes no doubles. Raises `ProviderUnavailable` when the provider cannot be asked (begin again
    later), `ProviderRefused` for a provider whose books cannot be read.
    """
    books = _books_of(provider)
    report = Report(provider, since, until)
    started_at = now()
    if books.lag and until > started_at - books.lag:
        report.listed_until = started_at - books.lag
    open_before = _list_open(provider)
    seen = _compare_theirs(books, report)
    _compare_ours(books, report, seen)
    for row in ReconciliationBreak.objects.filter(
        provider=provider, status=ReconciliationBreak.Status.OPEN, last_seen_at__lt=started_at
    ).order_by("last_seen_at")[:MOST_BREAKS]:
        _attempt_to(partial(_look_again, books, row), row.provider_id, report)
    open_after = _list_open(provider)
    report.opened = len(open_after - open_before)
    report.closed = len(open_before - open_after)
    return report


@no_transaction
def look_again(break_id: int) -> ReconciliationBreak:
    """Ask the provider once more about a break, mend what can be mended, and return the break.

    Raises `ProviderUnavailable`, `ProviderRefused`.
    """
    row = ReconciliationBreak.objects.get(pk=break_id)
    _look_again(_books_of(row.provider), row)
    row.refresh_from_db()
    return row


@no_transaction
def plan_day(day: date) -> None:
    """Decide to reconcile a day with each provider, a few hours at a time, once.

    Each part waits until the provider lists all of it.
    """
    since, until = bounds_of(day)
    for provider in list_providers_with_books():
        _plan(provider, since, until, lag=_books_of(provider).lag)


def yesterday() -> date:
    """Return the last whole day in the shop's time zone."""
    return localtime(now()).date() - timedelta(days=1)


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """Return the beginning of a day and of the next in the shop's time zone."""
    start = make_aware(datetime.combine(day, time.min))
    return start, make_aware(datetime.combine(day + timedelta(days=1), time.min))


@own_transaction
def _plan(provider: str, since: datetime, until: datetime, *, lag: timedelta) -> None:
    start = since
    while start < until:
        end = min(start + WINDOW, until)
        outbox.enqueue(
            TASK,
            key=f"reconcile:{provider}:{start:%Y%m%dT%H%M%z}",
            delay=max(0.0, (end + lag - now()).total_seconds()),
            priority=LATER,
            provider=provider,
            since=start.isoformat(),
            until=end.isoformat(),
        )
        start = end


def _books_of(provider: str) -> Books:
    books = get_books(provider)
    if books is None:
        raise ProviderRefused(
            _("This provider's books cannot be read."), reason=f"no books of {provider}"
        )
    return books


def _list_open(provider: str) -> set[int]:
    rows = ReconciliationBreak.objects.filter(provider=provider, status="open")
    return set(rows.values_list("pk", flat=True))


def _attempt_to(compare: Callable[[], object], name: str, report: Report) -> None:
    """Compare one thing; what goes wrong with it stays with it, unless the provider is away."""
    try:
        compare()
    except ProviderUnavailable:
        raise
    except Exception as error:
        logger.exception("%s of %s could not be compared", name, report.provider)
        report.stumbles.append(f"{name}: {type(error).__name__}: {error}"[:300])


# Theirs, held against ours -------------------------------------------------------------------------


def _compare_theirs(books: Books, report: Report) -> set[str]:
    """Go through what the provider lists; return the numbers of what was seen."""
    seen: set[str] = set()
    for charge in _each(books.list_charges(report.since, report.until)):
        seen.add(charge.charge_id)
        report.charges += 1
        _add_fee(report, charge)
        _attempt_to(partial(_compare_charge, books, charge, report), charge.charge_id, report)
    for refund in _each(books.list_refunds(report.since, report.until)):
        seen.add(refund.refund_id)
        report.refunds += 1
        _attempt_to(partial(_compare_refund, books, refund, report), refund.refund_id, report)
    for dispute in _each(books.list_disputes(report.since, report.until)):
        seen.add(dispute.dispute_id)
        report.disputes += 1
        _attempt_to(partial(_compare_dispute, dispute, report), dispute.dispute_id, report)
    return seen


def _add_fee(report: Report, charge: ProviderCharge) -> None:
    if charge.fee is None:
        return
    others = [fee for fee in report.fees if fee.currency != charge.fee.currency]
    same = [fee for fee in report.fees if fee.currency == charge.fee.currency]
    report.fees = [*others, total([*same, charge.fee], charge.fee.currency)]


def _each(pages: Iterator[list[T]]) -> Iterator[T]:
    for page in pages:
        yield from page


def _compare_charge(books: Books, charge: ProviderCharge, report: Report) -> None:
    attempt = find_attempt_of(report.provider, charge)
    if attempt is not None and attempt.status not in PAID:
        attempt = _settle(books, attempt, charge.payment_id)
        report.settled += attempt.status in PAID
    capture = None
    if attempt is not None:
        capture = attempt.transactions.filter(
            kind=PaymentTransaction.Kind.CAPTURE,
            provider_id__in=(charge.charge_id, charge.payment_id),
        ).first()
    ours = Money(capture.amount, capture.currency) if capture else None
    if ours == charge.captured:
        breaks.record_agreement(report.provider, Subject.CHARGE, charge.charge_id)
        return
    with translation.override(settings.LANGUAGE_CODE):
        if capture is not None:
            text = _("The provider took another amount than our books say.")
        elif attempt is not None:
            text = _("Money was taken for a payment that is not paid in our books.")
        else:
            text = _("Money was taken that no payment of this shop asked for.")
    breaks.record(
        report.provider,
        Finding(
            subject=Subject.CHARGE,
            provider_id=charge.charge_id,
            text=text,
            happened_at=charge.created_at,
            ours=ours,
            theirs=charge.captured,
            attempt=attempt,
            transaction=capture,
        ),
    )


def _settle(books: Books, attempt: PaymentAttempt, payment_id: str) -> PaymentAttempt:
    """Settle an attempt whose money was taken; find its page first where we never learned of it."""
    if not attempt.provider_session_id and payment_id:
        _learn_session(attempt.pk, books.find_session(payment_id))
    try:
        return settlement.settle(attempt.pk)
    except UnknownAtProvider:
        return attempt


@own_transaction
def _learn_session(attempt_id: int, session_id: str) -> None:
    PaymentAttempt.objects.filter(pk=attempt_id, provider_session_id="").update(
        provider_session_id=session_id
    )


def _compare_refund(books: Books, found: ProviderRefund, report: Report) -> None:
    """Import a refund or bring ours up to date; one that never went through moved nothing.

    What went back for a dispute is compared with the dispute.
    """
    if found.dispute_id:
        _compare_dispute(books.fetch_dispute(found.dispute_id), report)
        breaks.record_agreement(report.provider, Subject.REFUND, found.refund_id)
        return
    attempt = find_attempt_of(report.provider, found)
    is_known = Refund.objects.filter(
        attempt__provider=report.provider, provider_id=found.refund_id
    ).exists()
    refund = provider_refunds.take(report.provider, found)
    if refund is None:
        if attempt is None and not found.result.failure:
            _record_theirs(report, Subject.REFUND, found.refund_id, found.amount, found.created_at)
        return
    report.imported += not is_known and refund.is_begun_elsewhere
    has_moved = refund.status == Refund.Status.SUCCEEDED
    ours = refund.money if has_moved else Money.zero(refund.currency)
    theirs = found.amount if found.result.is_settled else Money.zero(found.amount.currency)
    if ours == theirs:
        breaks.record_agreement(report.provider, Subject.REFUND, found.refund_id)
        return
    with translation.override(settings.LANGUAGE_CODE):
        text = _("The refund stands otherwise at the provider than in our books.")
    breaks.record(
        report.provider,
        Finding(
            subject=Subject.REFUND,
            provider_id=found.refund_id,
            text=text,
            happened_at=found.created_at,
            ours=ours,
            theirs=theirs,
            attempt=refund.attempt,
        ),
    )


def _compare_dispute(found: ProviderDispute, report: Report) -> None:
    if disputes.take(report.provider, found) is not None:
        return
    is_ours = find_attempt_of(report.provider, found)
    if is_ours is None:
        _record_theirs(report, Subject.DISPUTE, found.dispute_id, found.amount, found.created_at)


def _record_theirs(
    report: Report,
    subject: ReconciliationBreak.Subject,
    provider_id: str,
    amount: Money,
    happened_at: datetime,
) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        text = _("It is about a payment that this shop does not know.")
    breaks.record(
        report.provider,
        Finding(
            subject=subject,
            provider_id=provider_id,
            text=text,
            happened_at=happened_at,
            theirs=amount,
        ),
    )


# Ours, held against theirs -------------------------------------------------------------------------


def _compare_ours(books: Books, report: Report, seen: set[str]) -> None:
    """Ask about what our books have and the provider's list had not.

    Most of it lies at the edges: we may learn of a payment a day after it was made.
    """
    booked = PaymentTransaction.objects.filter(
        provider=report.provider,
        created_at__gte=report.since,
        created_at__lt=report.until,
        kind__in=(PaymentTransaction.Kind.CAPTURE, PaymentTransaction.Kind.REFUND),
    ).select_related("attempt")
    for row in booked.order_by("pk").iterator(chunk_size=500):
        if row.provider_id not in seen:
            _attempt_to(partial(_ask_about, books, row, report), row.provider_id, report)
    for dispute in Dispute.objects.filter(provider=report.provider, status__in=Dispute.OPEN):
        if dispute.provider_id not in seen:
            _attempt_to(
                partial(_ask_about_dispute, books, dispute, report), dispute.provider_id, report
            )


def _ask_about(books: Books, row: PaymentTransaction, report: Report) -> None:
    is_charge = row.kind == PaymentTransaction.Kind.CAPTURE
    try:
        if is_charge:
            charge = books.fetch_charge(row.provider_id)
            if charge is not None:
                _compare_charge(books, charge, report)
                return
        else:
            _compare_refund(books, books.fetch_refund(row.provider_id), report)
            return
    except UnknownAtProvider:
        pass
    with translation.override(settings.LANGUAGE_CODE):
        text = _("The provider knows nothing of this money.")
    breaks.record(
        report.provider,
        Finding(
            subject=Subject.CHARGE if is_charge else Subject.REFUND,
            provider_id=row.provider_id,
            text=text,
            happened_at=row.created_at,
            ours=Money(row.amount, row.currency),
            attempt=row.attempt,
            transaction=row,
        ),
    )


def _ask_about_dispute(books: Books, dispute: Dispute, report: Report) -> None:
    try:
        _compare_dispute(books.fetch_dispute(dispute.provider_id), report)
    except UnknownAtProvider:
        with translation.override(settings.LANGUAGE_CODE):
            text = _("The provider knows nothing of this dispute.")
        breaks.record(
            report.provider,
            Finding(
                subject=Subject.DISPUTE,
                provider_id=dispute.provider_id,
                text=text,
                happened_at=dispute.opened_at,
                ours=dispute.money,
                attempt=dispute.attempt,
            ),
        )


# Breaks, looked at again ---------------------------------------------------------------------------


def _look_again(books: Books, row: ReconciliationBreak) -> None:
    report = Report(row.provider, row.happened_at, row.happened_at)
    number = row.provider_id
    try:
        if row.subject == Subject.CHARGE:
            charge = books.fetch_charge(number)
            if charge is not None:
                _compare_charge(books, charge, report)
                return
        elif row.subject == Subject.REFUND:
            found = books.fetch_refund(number)
            _compare_refund(books, found, report)
            if not found.result.failure or row.ours is not None:
                return
        else:
            _compare_dispute(books.fetch_dispute(number), report)
            return
    except UnknownAtProvider:
        pass
    if row.ours is None:
        # It was theirs alone, and they do not know it any more, or it moved nothing.
        breaks.record_agreement(row.provider, Subject(row.subject), number)
        return
    breaks.record(
        row.provider,
        Finding(
            subject=Subject(row.subject),
            provider_id=number,
            text=row.finding,
            happened_at=row.happened_at,
            ours=row.our_money,
            attempt=row.attempt,
            transaction=row.transaction,
        ),
    )
