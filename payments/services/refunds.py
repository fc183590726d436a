"""Refunds: the row first, the provider's call second, its result third."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from payments.errors import ProviderRefused, RefundTooLarge
from payments.gateways import get_gateway
from payments.gateways.base import RefundResult
from payments.models import Dispute, PaymentAttempt, PaymentTransaction, Refund
from payments.services import movements
from payments.signals import refund_failed, refund_settled
from shop.clock import now
from shop.failpoints import failpoint
from shop.locking import retry_when_busy
from shop.money import Money
from shop.services import outbox
from shop.transactions import inside_transaction, no_transaction, own_transaction

# Stripe forgets an idempotency key after 24 hours.
KEY_LIFE = timedelta(hours=23)


@inside_transaction
def request(attempt: PaymentAttempt, *, amount: Money, key: str, reason: str) -> Refund:
    """Decide a refund once per key; a task sends it. The attempt must be locked by the caller.

    Raises `RefundTooLarge` when more than the captured amount would go back, or money that a bank
    has taken back already.
    """
    existing = Refund.objects.filter(key=key).first()
    if existing is not None:
        return existing
    if refundable(attempt) < amount:
        raise RefundTooLarge(_("That is more than was paid."))
    refund = Refund.objects.create(
        attempt=attempt, key=key, amount=amount.amount, currency=amount.currency, reason=reason
    )
    outbox.enqueue("payments.send_refund", key=f"refund:{refund.pk}", refund_id=refund.pk)
    return refund


def refundable(attempt: PaymentAttempt) -> Money:
    """Return what may go back: captured, less all refunds that did not fail, less what is disputed.

    A bank that has opened a dispute has its amount already; to refund it too would pay twice.
    """
    taken_back = attempt.disputes.filter(status__in=Dispute.MONEY_IS_GONE)
    left = get_unrefunded(attempt).amount - (
        taken_back.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    )
    return Money(max(left, Decimal(0)), attempt.currency)


def get_unrefunded(attempt: PaymentAttempt) -> Money:
    """Return what is left of the captured amount after all refunds that did not fail."""
    captured = attempt.transactions.filter(kind=PaymentTransaction.Kind.CAPTURE)
    refunded = attempt.refunds.exclude(status=Refund.Status.FAILED)
    left = (captured.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)) - (
        refunded.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    )
    return Money(left, attempt.currency)


def get_kept(attempt: PaymentAttempt) -> Money:
    """Return what the shop has not refunded of an attempt by the provider's word.

    A pending refund is not gone yet. What a bank took back in a dispute is no refund.
    """
    moved = dict(attempt.transactions.order_by().values_list("kind").annotate(Sum("amount")))
    kept = (
        moved.get(PaymentTransaction.Kind.CAPTURE, Decimal(0))
        - moved.get(PaymentTransaction.Kind.REFUND, Decimal(0))
        + moved.get(PaymentTransaction.Kind.REVERSAL, Decimal(0))
    )
    return Money(kept, attempt.currency)


@no_transaction
def send(refund_id: int) -> Refund:
    """Ask the provider to send the money back; repeating it is harmless.

    Raises `ProviderUnavailable` when it must be asked again later.
    """
    refund = Refund.objects.select_related("attempt").get(pk=refund_id)
    if refund.status != Refund.Status.PENDING or refund.provider_id:
        return refund
    failpoint("payments.refunds.asking")
    try:
        result = _find_or_make(refund)
    except ProviderRefused as error:
        result = RefundResult(refund_id="", is_settled=False, failure=error.reason)
    failpoint("payments.refunds.answered")
    refund = _record(refund_id, result)
    failpoint("payments.refunds.committed")
    return refund


@no_transaction
def check(refund_id: int) -> Refund:
    """Bring a refund to the state that the provider reports, and return it.

    One that went through may have failed since. Raises `ProviderUnavailable`, `ProviderRefused`.
    """
    refund = Refund.objects.select_related("attempt").get(pk=refund_id)
    if not refund.provider_id:
        return send(refund_id)
    gateway = get_gateway(refund.attempt.provider)
    return _record(refund_id, gateway.fetch_refund(refund_id=refund.provider_id))


def _find_or_make(refund: Refund) -> RefundResult:
    """Send the money back, unless it left long ago and only its answer was lost."""
    gateway = get_gateway(refund.attempt.provider)
    payment_id = refund.attempt.provider_payment_id
    if refund.created_at < now() - KEY_LIFE:
        made = gateway.find_refund(payment_id=payment_id, key=refund.key)
        if made is not None:
            return made
    return gateway.refund(payment_id=payment_id, amount=refund.money, key=refund.key)


@retry_when_busy
@own_transaction
def _record(refund_id: int, result: RefundResult) -> Refund:
    """Write down what the provider said. Locks the attempt, the refund, then the order."""
    attempt_id = Refund.objects.values_list("attempt_id", flat=True).get(pk=refund_id)
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    refund = Refund.objects.select_for_update().get(pk=refund_id)
    return apply_result(refund, attempt, result)


@inside_transaction
def apply_result(refund: Refund, attempt: PaymentAttempt, result: RefundResult) -> Refund:
    """Bring a refund to what the provider said; both rows must be locked by the caller."""
    refund.provider_id = refund.provider_id or result.refund_id
    if result.is_settled and refund.can_become(Refund.Status.SUCCEEDED):
        _succeed(refund, attempt)
    elif result.failure and refund.can_become(Refund.Status.FAILED):
        _fail(refund, attempt, result.failure)
    elif refund.status == Refund.Status.PENDING:
        refund.save(update_fields=["provider_id"])
    failpoint("payments.refunds.booked")
    return refund


def _succeed(refund: Refund, attempt: PaymentAttempt) -> None:
    refund.status = Refund.Status.SUCCEEDED
    refund.closed_at = now()
    refund.save()
    _book(PaymentTransaction.Kind.REFUND, refund, attempt)
    refund_settled.send(PaymentAttempt, attempt=attempt, refund=refund)


def _fail(refund: Refund, attempt: PaymentAttempt, failure: str) -> None:
    """Close a refund as failed; where its money had left, book that it came back."""
    if refund.status == Refund.Status.SUCCEEDED:
        _book(PaymentTransaction.Kind.REVERSAL, refund, attempt)
    refund.status = Refund.Status.FAILED
    refund.failure = failure[:300]
    refund.closed_at = now()
    refund.save()
    refund_failed.send(PaymentAttempt, attempt=attempt, refund=refund)


def _book(kind: PaymentTransaction.Kind, refund: Refund, attempt: PaymentAttempt) -> None:
    movements.book(attempt, kind, provider_id=refund.provider_id, money=refund.money)
