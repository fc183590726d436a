"""Money that staff saw come or sent back themselves: written down once, then settled as any other."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from payments.methods import OFFLINE
from payments.models import OfflineMovement, PaymentAttempt, Refund
from shop.money import Money
from shop.transactions import inside_transaction

if TYPE_CHECKING:
    from accounts.models import User


@inside_transaction
def record_receipt(
    attempt_id: int, *, amount: Money, received_on: date, bank_reference: str, by: User | None
) -> bool:
    """Write down what came for an attempt; say whether it was new. Locks the attempt.

    Whoever calls settles the attempt after the commit; until then the sweep would.
    """
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    if attempt.provider != OFFLINE or amount.currency != attempt.currency:
        raise ValueError(f"{attempt.reference} is not paid offline in {amount.currency}")
    is_new = _write(
        OfflineMovement.Kind.RECEIVED,
        key=attempt.reference,
        amount=amount,
        moved_on=received_on,
        bank_reference=bank_reference,
        by=by,
    )
    if is_new:
        attempt.provider_session_id = attempt.reference
        attempt.checked_at = None  # Given up or not: the sweep has to look again.
        attempt.save(update_fields=["provider_session_id", "checked_at"])
    return is_new


@inside_transaction
def record_payout(refund_id: int, *, sent_on: date, bank_reference: str, by: User | None) -> bool:
    """Write down that a pending refund was sent; say whether it was new. Locks attempt, refund."""
    attempt_id = Refund.objects.values_list("attempt_id", flat=True).get(pk=refund_id)
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    refund = Refund.objects.select_for_update().get(pk=refund_id)
    if attempt.provider != OFFLINE:
        raise ValueError(f"{refund.key} is not sent by hand")
    if refund.status != Refund.Status.PENDING:
        return False
    return _write(
        OfflineMovement.Kind.SENT,
        key=refund.key,
        amount=refund.money,
        moved_on=sent_on,
        bank_reference=bank_reference,
        by=by,
    )


def _write(
    kind: OfflineMovement.Kind,
    *,
    key: str,
    amount: Money,
    moved_on: date,
    bank_reference: str,
    by: User | None,
) -> bool:
    _row, is_new = OfflineMovement.objects.get_or_create(
        kind=kind,
        key=key,
        defaults={
            "amount": amount.amount,
            "currency": amount.currency,
            "moved_on": moved_on,
            "bank_reference": bank_reference,
            "recorded_by": by,
        },
    )
    return is_new
