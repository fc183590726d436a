"""Breaks: where the provider's books and ours do not agree, as rows that staff work through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from payments.models import PaymentAttempt, PaymentTransaction, ReconciliationBreak
from shop.clock import now
from shop.locking import retry_when_busy
from shop.money import Money
from shop.transactions import inside_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User

Status = ReconciliationBreak.Status
Kind = ReconciliationBreak.Kind
Subject = ReconciliationBreak.Subject


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement; `ours` is None when our books say nothing, `theirs` when theirs do not."""

    subject: ReconciliationBreak.Subject
    provider_id: str
    text: str
    happened_at: datetime
    ours: Money | None = None
    theirs: Money | None = None
    attempt: PaymentAttempt | None = None
    transaction: PaymentTransaction | None = None

    @property
    def kind(self) -> ReconciliationBreak.Kind:
        if self.ours is None:
            return Kind.THEIRS_ONLY
        return Kind.OURS_ONLY if self.theirs is None else Kind.DIFFERS


def count_open(provider: str = "") -> int:
    """Count the breaks that wait for somebody, for a dashboard or a gauge."""
    rows = ReconciliationBreak.objects.filter(status=Status.OPEN)
    return (rows.filter(provider=provider) if provider else rows).count()


@retry_when_busy
@own_transaction
def record(provider: str, finding: Finding) -> ReconciliationBreak:
    """Leave a break for staff, once for each thing at the provider. Locks the break.

    One that was closed is opened anew, unless staff accepted just these amounts.
    """
    seen = {
        "kind": finding.kind,
        "attempt": finding.attempt,
        "transaction": finding.transaction,
        "ours": None if finding.ours is None else finding.ours.amount,
        "ours_currency": "" if finding.ours is None else finding.ours.currency,
        "theirs": None if finding.theirs is None else finding.theirs.amount,
        "theirs_currency": "" if finding.theirs is None else finding.theirs.currency,
        "finding": finding.text[:300],
        "happened_at": finding.happened_at,
        "last_seen_at": now(),
    }
    row, is_new = ReconciliationBreak.objects.select_for_update().get_or_create(
        provider=provider,
        subject=finding.subject,
        provider_id=finding.provider_id,
        defaults=seen,
    )
    if is_new:
        return row
    is_as_accepted = row.status == Status.ACCEPTED and (
        (row.our_money, row.their_money) == (finding.ours, finding.theirs)
    )
    for name, value in seen.items():
        setattr(row, name, value)
    if row.status != Status.OPEN and not is_as_accepted:
        row.status, row.note, row.closed_at, row.closed_by = Status.OPEN, "", None, None
    row.save()
    return row


@retry_when_busy
@own_transaction
def record_agreement(provider: str, subject: ReconciliationBreak.Subject, provider_id: str) -> bool:
    """Close the open break about something that agrees now; say whether there was one."""
    with translation.override(settings.LANGUAGE_CODE):
        note = _("The books agree now.")
    return bool(
        ReconciliationBreak.objects.filter(
            provider=provider, subject=subject, provider_id=provider_id, status=Status.OPEN
        ).update(status=Status.RESOLVED, note=note, closed_at=now())
    )


@inside_transaction
def close(break_id: int, *, status: str, note: str, by: User) -> bool:
    """Close an open break as staff, with the reason; say whether it was still open.

    `resolved` is what was mended, `accepted` what stays as it is. Locks the break.
    """
    row = ReconciliationBreak.objects.select_for_update().get(pk=break_id)
    if row.status != Status.OPEN or status not in (Status.RESOLVED, Status.ACCEPTED):
        return False
    row.status, row.note, row.closed_by, row.closed_at = status, note[:300], by, now()
    row.save()
    return True
