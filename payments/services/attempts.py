"""Attempts to be paid: prepared with the order, started at the provider after the commit."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime

from django.utils.translation import gettext as _

from payments.errors import AttemptEnded, ProviderRefused
from payments.gateways import get_gateway
from payments.gateways.base import PaymentRequest, StartedSession
from payments.models import PaymentAttempt
from payments.services import settlement
from shop.errors import ShopError
from shop.failpoints import failpoint
from shop.locking import retry_when_busy
from shop.money import Money
from shop.prepared import Prepared, insert, update
from shop.transactions import inside_transaction, no_transaction, own_transaction

logger = logging.getLogger(__name__)

_lock = Prepared(lambda pk: PaymentAttempt.objects.select_for_update().filter(pk=pk))


@inside_transaction
def prepare(*, provider: str, amount: Money, expires_at: datetime) -> PaymentAttempt:
    """Write an attempt with its reference, before anything is said to the provider."""
    return insert(
        PaymentAttempt(
            reference=f"pay_{secrets.token_hex(12)}",
            provider=provider,
            amount=amount.amount,
            currency=amount.currency,
            expires_at=expires_at,
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
        session = get_gateway(attempt.provider).start(request)
    except ProviderRefused as error:
        _record_refusal(attempt.pk, error.reason)
        raise
    failpoint("payments.attempts.answered")
    if not _record_start(attempt.pk, session):
        _close_page(attempt)
        raise AttemptEnded(_("This payment was given up meanwhile. Nothing was charged."))
    failpoint("payments.attempts.recorded")
    return session.redirect_url


@retry_when_busy
@own_transaction
def _record_start(attempt_id: int, session: StartedSession) -> bool:
    """Remember the page of an attempt; say whether the shopper may go there. Locks the attempt."""
    attempt = _lock.get(attempt_id)
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
