"""Settlement: one function reads the provider's truth about an attempt and applies it.

Webhook task, browser return, sweeper and admin button all call `settle`; it may run at any time,
any number of times, in any order, and ends in the same state.
"""

from __future__ import annotations

from payments.errors import ProviderUnavailable
from payments.gateways import get_gateway
from payments.gateways.base import ProviderState, ProviderStatus
from payments.models import PaymentAttempt, PaymentTransaction
from payments.signals import attempt_captured, attempt_closed, attempt_held
from shop.clock import now
from shop.locking import retry_when_busy
from shop.transactions import no_transaction, own_transaction

UNPAID_STATUS = {
    ProviderStatus.OPEN: PaymentAttempt.Status.STARTED,
    ProviderStatus.PROCESSING: PaymentAttempt.Status.PROCESSING,
    ProviderStatus.FAILED: PaymentAttempt.Status.FAILED,
    ProviderStatus.EXPIRED: PaymentAttempt.Status.EXPIRED,
}


@no_transaction
def settle(attempt_id: int, *, give_up: bool = False) -> PaymentAttempt:
    """Bring an attempt to the state that the provider reports, and return it.

    `give_up` asks the provider to close a page that is still open, as expiry and cancellation do.
    Raises `ProviderUnavailable` when the provider cannot be asked; nothing is assumed then.
    Locks the attempt, then whatever the receivers of the news lock (order, stock).
    """
    attempt = PaymentAttempt.objects.get(pk=attempt_id)
    if attempt.status in (PaymentAttempt.Status.CAPTURED, PaymentAttempt.Status.HELD):
        return attempt
    if not attempt.provider_session_id:
        return _settle_unstarted(attempt, give_up=give_up)
    gateway = get_gateway(attempt.provider)
    state = gateway.fetch(session_id=attempt.provider_session_id)
    if give_up and state.status is ProviderStatus.OPEN:
        state = gateway.expire(session_id=attempt.provider_session_id)
    return _apply(attempt_id, state)


def _settle_unstarted(attempt: PaymentAttempt, *, give_up: bool) -> PaymentAttempt:
    """Close an attempt that never reached the provider, as far as we know.

    A page that was opened just before we died is found by its webhook, whose reference is ours.
    """
    if not give_up:
        return attempt
    return _apply(attempt.pk, ProviderState(ProviderStatus.EXPIRED))


@retry_when_busy
@own_transaction
def _apply(attempt_id: int, state: ProviderState) -> PaymentAttempt:
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    attempt.checked_at = now()
    if state.status is ProviderStatus.PAID:
        _apply_payment(attempt, state)
    else:
        _apply_unpaid(attempt, state)
    attempt.save()
    return attempt


def _apply_payment(attempt: PaymentAttempt, state: ProviderState) -> None:
    if not attempt.can_become(PaymentAttempt.Status.CAPTURED):
        return
    if state.captured is None:
        raise ProviderUnavailable("paid, but the provider does not say how much")
    attempt.provider_payment_id = state.payment_id
    PaymentTransaction.objects.get_or_create(
        provider=attempt.provider,
        kind=PaymentTransaction.Kind.CAPTURE,
        provider_id=state.charge_id or state.payment_id,
        defaults={
            "attempt": attempt,
            "amount": state.captured.amount,
            "currency": state.captured.currency,
        },
    )
    attempt.closed_at = now()
    if state.captured == attempt.money:
        attempt.status = PaymentAttempt.Status.CAPTURED
        attempt.save()
        attempt_captured.send(PaymentAttempt, attempt=attempt)
    else:
        attempt.status = PaymentAttempt.Status.HELD
        attempt.failure = f"asked for {attempt.money}, the provider took {state.captured}"[:300]
        attempt.save()
        attempt_held.send(PaymentAttempt, attempt=attempt)


def _apply_unpaid(attempt: PaymentAttempt, state: ProviderState) -> None:
    status = UNPAID_STATUS[state.status]
    if attempt.status == status or not attempt.can_become(status):
        return
    attempt.status = status
    attempt.provider_payment_id = attempt.provider_payment_id or state.payment_id
    attempt.failure = state.failure[:300]
    if status in PaymentAttempt.CLOSED_UNPAID:
        attempt.closed_at = now()
        attempt.save()
        attempt_closed.send(PaymentAttempt, attempt=attempt)
