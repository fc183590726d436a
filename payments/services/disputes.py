"""Disputes: a shopper's bank takes money back; the provider says how it stands, we write it down."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from payments.errors import ProviderRefused
from payments.gateways.books import DisputeMovement, ProviderDispute, get_books
from payments.models import Dispute, PaymentAttempt, PaymentTransaction
from payments.services import breaks, finding, movements, settlement
from payments.signals import dispute_closed, dispute_moved, dispute_opened
from shop.clock import now
from shop.locking import retry_when_busy
from shop.transactions import no_transaction, own_transaction


@no_transaction
def check(dispute_id: int) -> Dispute | None:
    """Ask the provider how a dispute stands. Raises `ProviderUnavailable`, `ProviderRefused`."""
    dispute = Dispute.objects.get(pk=dispute_id)
    books = get_books(dispute.provider)
    if books is None:
        raise ProviderRefused(
            _("This provider's books cannot be read."), reason=f"no books of {dispute.provider}"
        )
    return take(dispute.provider, books.fetch_dispute(dispute.provider_id))


@no_transaction
def take(provider: str, found: ProviderDispute) -> Dispute | None:
    """Bring our books to a dispute as the provider tells it; None when it is about nothing paid.

    A dispute about a payment of ours that is not paid in our books is left as a break. Locks the
    attempt, the dispute, then the order.
    """
    attempt = finding.find_attempt_of(provider, found)
    if attempt is None:
        return None
    settlement.settle(attempt.pk)
    dispute = _take(attempt.pk, found)
    if dispute is None:
        breaks.record(provider, _describe_misfit(attempt, found))
    else:
        breaks.record_agreement(provider, breaks.Subject.DISPUTE, found.dispute_id)
    return dispute


@retry_when_busy
@own_transaction
def _take(attempt_id: int, found: ProviderDispute) -> Dispute | None:
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    captures = attempt.transactions.filter(kind=PaymentTransaction.Kind.CAPTURE)
    if found.amount.currency != attempt.currency or not captures.exists():
        return None
    dispute = attempt.disputes.select_for_update().filter(provider_id=found.dispute_id).first()
    if dispute is None:
        dispute = _open(attempt, found)
    for movement in found.movements:
        _book(attempt, dispute, movement)
    _follow(attempt, dispute, found)
    return dispute


def _open(attempt: PaymentAttempt, found: ProviderDispute) -> Dispute:
    """Write a dispute as it began: its end is news of its own."""
    is_over = found.state.value not in Dispute.OPEN
    dispute = Dispute.objects.create(
        attempt=attempt,
        provider=attempt.provider,
        provider_id=found.dispute_id,
        amount=found.amount.amount,
        currency=found.amount.currency,
        reason=found.reason[:60],
        status=Dispute.Status.NEEDS_RESPONSE if is_over else found.state.value,
        due_by=found.due_by,
        opened_at=found.created_at,
    )
    dispute_opened.send(PaymentAttempt, attempt=attempt, dispute=dispute)
    return dispute


def _book(attempt: PaymentAttempt, dispute: Dispute, movement: DisputeMovement) -> None:
    Kind = PaymentTransaction.Kind
    kind = Kind.DISPUTE if movement.is_withdrawal else Kind.DISPUTE_WON
    moved = [(kind, movement.amount)]
    if movement.fee and movement.fee.amount < 0:
        moved.append((Kind.FEE_RETURNED, -movement.fee))
    elif movement.fee:
        moved.append((Kind.FEE, movement.fee))
    for kind, money in moved:
        booked, is_new = movements.book(
            attempt, kind, provider_id=movement.movement_id, money=money
        )
        if is_new:
            dispute_moved.send(PaymentAttempt, attempt=attempt, dispute=dispute, transaction=booked)


def _follow(attempt: PaymentAttempt, dispute: Dispute, found: ProviderDispute) -> None:
    """Bring a locked dispute to what the provider says; an older word than ours changes nothing."""
    status = found.state.value
    is_news = dispute.status != status and dispute.can_become(status)
    if is_news or dispute.status == status:
        dispute.amount, dispute.due_by = found.amount.amount, found.due_by
        dispute.reason = found.reason[:60]
    if is_news:
        dispute.status = status
        dispute.closed_at = None if dispute.is_open else now()
    dispute.save()
    if is_news and not dispute.is_open:
        dispute_closed.send(PaymentAttempt, attempt=attempt, dispute=dispute)


def _describe_misfit(attempt: PaymentAttempt, found: ProviderDispute) -> breaks.Finding:
    with translation.override(settings.LANGUAGE_CODE):
        text = _("A bank disputes a payment that does not stand in our books like that.")
    return breaks.Finding(
        subject=breaks.Subject.DISPUTE,
        provider_id=found.dispute_id,
        text=text,
        happened_at=found.created_at,
        theirs=found.amount,
        attempt=attempt,
    )
