"""Whose money is it: the attempt, or the refund, that a provider's words are about."""

from __future__ import annotations

from django.db.models import Q

from payments.gateways.books import ProviderCharge, ProviderDispute, ProviderRefund
from payments.models import PaymentAttempt, PaymentTransaction, Refund


def find_attempt(
    provider: str,
    *,
    session_id: str = "",
    payment_id: str = "",
    charge_id: str = "",
    reference: str = "",
) -> PaymentAttempt | None:
    """Return the attempt that any of these clues leads to."""
    clue = Q()
    if session_id:
        clue |= Q(provider_session_id=session_id)
    if payment_id:
        clue |= Q(provider_payment_id=payment_id)
    if reference:
        clue |= Q(reference=reference)
    attempts = PaymentAttempt.objects.filter(provider=provider)
    found = attempts.filter(clue).first() if clue else None
    if found is None and charge_id:
        captures = PaymentTransaction.objects.filter(
            provider=provider, kind=PaymentTransaction.Kind.CAPTURE, provider_id=charge_id
        )
        found = attempts.filter(pk__in=captures.values("attempt_id")).first()
    return found


def find_attempt_of(
    provider: str, found: ProviderCharge | ProviderRefund | ProviderDispute
) -> PaymentAttempt | None:
    """Return the attempt that an entry of the provider's books is about."""
    return find_attempt(
        provider,
        payment_id=found.payment_id,
        charge_id=found.charge_id,
        reference=found.reference,
    )


def find_refund(provider: str, *, refund_id: str, key: str) -> Refund | None:
    """Return the refund of this number; else the one of this key whose number is not known yet."""
    refunds = Refund.objects.select_related("attempt").filter(attempt__provider=provider)
    found = refunds.filter(provider_id=refund_id).first() if refund_id else None
    if found is None and key:
        found = refunds.filter(key=key, provider_id="").first()
    return found
