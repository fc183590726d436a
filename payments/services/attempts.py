"""Attempts to be paid: prepared with the order, started at the provider after the commit."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from payments import methods
from payments.errors import AttemptEnded, ProviderRefused, UnknownAtProvider
from payments.gateways import get_gateway
from payments.gateways.base import PaymentRequest, StartedSession
from payments.models import PaymentAttempt
from payments.services import customers, settlement
from shop.errors import ShopError
from shop.failpoints import failpoint
from shop.locking import retry_when_busy
from shop.money import Money
from shop.prepared import insert, update
from shop.transactions import inside_transaction, no_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)


@inside_transaction
def prepare(
    *, provider: str, amount: Money, expires_at: datetime, user: User | None = None
) -> PaymentAttempt:
    """Write an attempt with its reference, before anything is said to the provider.

    For a `user` the provider may keep cards. Whether its money is taken at once or later is settled
    with it, whatever the setting becomes.
    """
    return insert(
        PaymentAttempt(
            reference=f"pay_{secrets.token_hex(12)}",
            provider=provider,
            amount=amount.amount,
            currency=amount.currency,
            expires_at=expires_at,
            capture_later=methods.is_captured_later(provider),
            customer=customers.prepare(user, provider) if user else None,
        )
    )


@no_transaction
def start(attempt: PaymentAttempt, request: PaymentRequest) -> str:
    """Open the provider's page for an attempt and return its address.

    Safe to repeat: the same attempt leads to the same page. Raises `ProviderUnavailable` when it
    may or may not have worked (call again), `ProviderRefused` when it will not, and `AttemptEnded`
    when the attempt was given up meanwhile; its page is closed then.
    """
    if attempt.redirect_url and attempt.is_open:
        return attempt.redirect_url
    failpoint("payments.attempts.asking")
    try:
        session = _open_page(attempt, request)
    except ProviderRefused as error:
        _record_refusal(attempt.pk, error.reason)
        raise
    failpoint("payments.attempts.answered")
    if not _record_start(attempt.pk, session):
        _close_page(attempt)
        raise AttemptEnded(_("This payment was given up meanwhile. Nothing was charged."))
    failpoint("payments.attempts.recorded")
    return session.redirect_url


def _open_page(attempt: PaymentAttempt, request: PaymentRequest) -> StartedSession:
    """Open the page, with the shopper's saved cards if there may be some.

    A customer who was deleted at the provider is forgotten, and the page opened without.
    """
    gateway = get_gateway(attempt.provider)
    if attempt.customer is None:
        return gateway.start(request)
    customer_id = customers.introduce(attempt.customer)
    try:
        return gateway.start(replace(request, customer_id=customer_id))
    except UnknownAtProvider:
        customers.forget(attempt.customer)
        return gateway.start(request)


@retry_when_busy
@own_transaction
def _record_start(attempt_id: int, session: StartedSession) -> bool:
    """Remember the page of an attempt; say whether the shopper may go there. Locks the attempt."""
    attempt = settlement.lock_attempt.get(attempt_id)
    if not attempt.is_open:
        if not attempt.provider_session_id:
            attempt.provider_session_id = session.session_id
            attempt.checked_at = None  # Nobody has asked about this page yet: the sweep will.
            attempt.save(update_fields=["provider_session_id", "checked_at"])
        return False
    attempt.provider_session_id = session.session_id
    attempt.redirect_url = session.redirect_url
    if attempt.status == PaymentAttempt.Status.CREATED:
        attempt.status = PaymentAttempt.Status.STARTED
    update(attempt, "provider_session_id", "redirect_url", "status")
    return True


def _close_page(attempt: PaymentAttempt) -> None:
    """Close the page of an attempt that was given up; where that fails, the sweep does it."""
    try:
        settlement.settle(attempt.pk, give_up=True)
    except ShopError as error:
        logger.warning("the page of %s is still open: %s", attempt.reference, error)


@own_transaction
def _record_refusal(attempt_id: int, reason: str) -> None:
    PaymentAttempt.objects.filter(pk=attempt_id).update(failure=reason[:300])
