"""Refunds that began at the provider: whoever pressed the button there, they are imported once."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from payments.gateways.books import ProviderRefund, get_books
from payments.models import PaymentAttempt, PaymentTransaction, Refund
from payments.services import breaks, disputes, finding, refunds, settlement
from shop.locking import retry_when_busy
from shop.transactions import no_transaction, own_transaction


@no_transaction
def take_all_of(attempt: PaymentAttempt) -> list[Refund]:
    """Import every refund of an attempt that the provider lists and we do not know.

    What went back for a dispute is booked with the dispute.
    """
    books = get_books(attempt.provider)
    if books is None or not attempt.provider_payment_id:
        return []
    found = books.list_refunds_of(attempt.provider_payment_id)
    for dispute_id in {each.dispute_id for each in found if each.dispute_id}:
        disputes.take(attempt.provider, books.fetch_dispute(dispute_id))
    taken = [take(attempt.provider, each) for each in found if not each.dispute_id]
    return [refund for refund in taken if refund is not None]


@no_transaction
def take(provider: str, found: ProviderRefund) -> Refund | None:
    """Bring our books to a refund as the provider tells it; None when it is not ours, or cannot be.

    A refund of ours is found again by its key, even before its answer was recorded. One that we
    did not begin gets a row; one that does not fit what was paid is left as a break. Locks the
    attempt, the refund, then the order.
    """
    attempt = finding.find_attempt_of(provider, found)
    if attempt is None:
        return None
    settlement.settle(attempt.pk)
    refund = _take(attempt.pk, found)
    if refund is not None:
        breaks.record_agreement(provider, breaks.Subject.REFUND, found.refund_id)
    elif not found.result.failure:
        breaks.record(provider, _describe_misfit(attempt, found))
    return refund


@retry_when_busy
@own_transaction
def _take(attempt_id: int, found: ProviderRefund) -> Refund | None:
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    refund = _lock_known(attempt, found)
    if refund is None:
        if found.result.failure:
            return None  # Nothing moved, and nobody here waits for it.
        has_room = (
            found.amount.currency == attempt.currency
            and found.amount <= refunds.get_unrefunded(attempt)
        )
        if not has_room:
            return None
        refund = _write(attempt, found)
    return refunds.apply_result(refund, attempt, found.result)


def _lock_known(attempt: PaymentAttempt, found: ProviderRefund) -> Refund | None:
    rows = attempt.refunds.select_for_update()
    known = rows.filter(provider_id=found.refund_id).first()
    if known is None and found.key:
        known = rows.filter(key=found.key, provider_id="").first()
    return known


def _write(attempt: PaymentAttempt, found: ProviderRefund) -> Refund:
    """Write the row of a refund; one of ours whose row was lost gets its own key back."""
    is_lost = found.key.startswith(f"{attempt.reference}:") and not (
        Refund.objects.filter(key=found.key).exists()
    )
    with translation.override(settings.LANGUAGE_CODE):
        reason = _("Begun at the provider.")
        if found.reason:
            reason = _("Begun at the provider: %s") % found.reason
    return Refund.objects.create(
        attempt=attempt,
        key=found.key if is_lost else f"{Refund.BEGUN_ELSEWHERE}{found.refund_id}",
        amount=found.amount.amount,
        currency=found.amount.currency,
        reason=reason[:200],
        provider_id=found.refund_id,
    )


def _describe_misfit(attempt: PaymentAttempt, found: ProviderRefund) -> breaks.Finding:
    captured = attempt.transactions.filter(kind=PaymentTransaction.Kind.CAPTURE).first()
    with translation.override(settings.LANGUAGE_CODE):
        text = _(
            "A refund was begun at the provider that is larger than what is left of the payment."
        )
        if captured is None:
            text = _("Money went back at the provider for a payment that is not paid in our books.")
        elif captured.currency != found.amount.currency:
            text = _("A refund was begun at the provider in another currency than the payment's.")
    return breaks.Finding(
        subject=breaks.Subject.REFUND,
        provider_id=found.refund_id,
        text=text,
        happened_at=found.created_at,
        theirs=found.amount,
        attempt=attempt,
        transaction=captured,
    )
