"""Refunds: the row first, the provider's call second, its result third."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from payments.errors import ProviderRefused, RefundTooLarge
from payments.gateways import get_gateway
from payments.gateways.base import RefundResult
from payments.models import PaymentAttempt, PaymentTransaction, Refund
from payments.signals import refund_settled
from shop.clock import now
from shop.money import Money
from shop.services import outbox
from shop.transactions import inside_transaction, no_transaction, own_transaction


@inside_transaction
def request(attempt: PaymentAttempt, *, amount: Money, key: str, reason: str) -> Refund:
    """Decide a refund once per key; a task sends it. The attempt must be locked by the caller.

    Raises `RefundTooLarge` when more than the captured amount would go back.
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
    """Return what is left of the captured amount after all refunds that did not fail."""
    captured = attempt.transactions.filter(kind=PaymentTransaction.Kind.CAPTURE)
    refunded = attempt.refunds.exclude(status=Refund.Status.FAILED)
    left = (captured.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)) - (
        refunded.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    )
    return Money(left, attempt.currency)


@no_transaction
def send(refund_id: int) -> Refund:
    """Ask the provider to send the money back; repeating it is harmless.

    Raises `ProviderUnavailable` when it must be asked again later.
    """
    refund = Refund.objects.select_related("attempt").get(pk=refund_id)
    if refund.status != Refund.Status.PENDING:
        return refund
    try:
        result = get_gateway(refund.attempt.provider).refund(
            payment_id=refund.attempt.provider_payment_id,
            amount=Money(refund.amount, refund.currency),
            key=refund.key,
        )
    except ProviderRefused as error:
        result = RefundResult(refund_id="", is_settled=False, failure=str(error))
    return _record(refund_id, result)


@own_transaction
def _record(refund_id: int, result: RefundResult) -> Refund:
    refund = Refund.objects.select_related("attempt").get(pk=refund_id)
    attempt = PaymentAttempt.objects.select_for_update().get(pk=refund.attempt_id)
    refund = Refund.objects.select_for_update().get(pk=refund_id)
    if refund.status != Refund.Status.PENDING:
        return refund
    refund.provider_id = result.refund_id
    if result.is_settled:
        refund.status = Refund.Status.SUCCEEDED
        refund.closed_at = now()
        refund.save()
        PaymentTransaction.objects.get_or_create(
            provider=attempt.provider,
            kind=PaymentTransaction.Kind.REFUND,
            provider_id=result.refund_id,
            defaults={"attempt": attempt, "amount": refund.amount, "currency": refund.currency},
        )
        refund_settled.send(PaymentAttempt, attempt=attempt, refund=refund)
    elif result.failure:
        refund.status = Refund.Status.FAILED
        refund.failure = result.failure[:300]
        refund.closed_at = now()
        refund.save()
    else:
        refund.save()
    return refund
