"""Attempts to be paid: prepared with the order, started at the provider after the commit."""

from __future__ import annotations

import secrets
from datetime import datetime

from payments.errors import ProviderRefused
from payments.gateways import get_gateway
from payments.gateways.base import PaymentRequest, StartedSession
from payments.models import PaymentAttempt
from shop.money import Money
from shop.transactions import inside_transaction, no_transaction, own_transaction


@inside_transaction
def prepare(*, provider: str, amount: Money, expires_at: datetime) -> PaymentAttempt:
    """Write an attempt with its reference, before anything is said to the provider."""
    return PaymentAttempt.objects.create(
        reference=f"pay_{secrets.token_hex(12)}",
        provider=provider,
        amount=amount.amount,
        currency=amount.currency,
        expires_at=expires_at,
    )


@no_transaction
def start(attempt: PaymentAttempt, request: PaymentRequest) -> str:
    """Open the provider's page for an attempt and return its address.

    Safe to repeat: the same attempt leads to the same page. Raises `ProviderUnavailable` when it
    may or may not have worked (call again), `ProviderRefused` when it will not.
    """
    if attempt.redirect_url and attempt.is_open:
        return attempt.redirect_url
    try:
        session = get_gateway(attempt.provider).start(request)
    except ProviderRefused as error:
        _record_refusal(attempt.pk, str(error))
        raise
    _record_start(attempt.pk, session)
    return session.redirect_url


@own_transaction
def _record_start(attempt_id: int, session: StartedSession) -> None:
    PaymentAttempt.objects.filter(pk=attempt_id).update(
        provider_session_id=session.session_id, redirect_url=session.redirect_url
    )
    PaymentAttempt.objects.filter(pk=attempt_id, status=PaymentAttempt.Status.CREATED).update(
        status=PaymentAttempt.Status.STARTED
    )


@own_transaction
def _record_refusal(attempt_id: int, reason: str) -> None:
    PaymentAttempt.objects.filter(pk=attempt_id).update(failure=reason[:300])
