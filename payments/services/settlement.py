"""Settlement: one function reads the provider's truth about an attempt and applies it.

Webhook task, browser return, sweeper and admin button all call `settle`; it may run at any time,
any number of times, in any order, and ends in the same state.
"""

from __future__ import annotations

from payments.errors import ProviderUnavailable, UnknownAtProvider
from payments.gateways import get_gateway
from payments.gateways.base import ProviderState, ProviderStatus
from payments.models import PaymentAttempt, PaymentTransaction
from payments.signals import attempt_captured, attempt_closed, attempt_held
from shop.clock import now
from shop.failpoints import failpoint
from shop.locking import retry_when_busy
from shop.transactions import no_transaction, own_transaction

UNPAID_STATUS = {
    ProviderStatus.OPEN: PaymentAttempt.Status.STARTED,
    ProviderStatus.PROCESSING: PaymentAttempt.Status.PROCESSING,
    ProviderStatus.FAILED: PaymentAttempt.Status.FAILED,
    ProviderStatus.EXPIRED: PaymentAttempt.Status.EXPIRED,
}


@no_transaction
def ask(attempt_id: int, *, give_up: bool = False) -> PaymentAttempt:
    """Settle an attempt that no event is about, and put on record first that it was asked."""
    _note_asked(attempt_id)
    return settle(attempt_id, give_up=give_up)


@no_transaction
def settle(attempt_id: int, *, give_up: bool = False) -> PaymentAttempt:
    """Bring an attempt to the state that the provider reports, and return it.

    `give_up` asks the provider to close a page that is still open, as expiry and cancellation do,
    and takes a page that the provider does not know for one that ended. Raises
    `ProviderUnavailable` when the provider cannot be asked; nothing is assumed then. Raises
    `UnknownAtProvider` for an unknown page that is not to be given up. Locks the attempt,
    then whatever the receivers of the news lock (order, stock).
    """
    attempt = PaymentAttempt.objects.get(pk=attempt_id)
    if attempt.status in (PaymentAttempt.Status.CAPTURED, PaymentAttempt.Status.HELD):
        return attempt
    if not attempt.provider_session_id:
        if not give_up:
            return attempt
        attempt = _close_unstarted(attempt_id)
        if not attempt.provider_session_id:
            return attempt
    failpoint("payments.settlement.asking")
    state = _fetch(attempt, give_up=give_up)
    failpoint("payments.settlement.answered")
    attempt = _apply(attempt_id, state)
    failpoint("payments.settlement.committed")
    return attempt


def _fetch(attempt: PaymentAttempt, *, give_up: bool) -> ProviderState:
    gateway = get_gateway(attempt.provider)
    try:
        state = gateway.fetch(session_id=attempt.provider_session_id)
    except UnknownAtProvider as error:
        if not give_up:
            _note_failure(attempt.pk, f"unknown at the provider: {error.reason}")
            raise
        return ProviderState(
            ProviderStatus.EXPIRED, failure=f"unknown at the provider: {error.reason}"
        )
    if give_up and state.status is ProviderStatus.OPEN:
        return gateway.expire(session_id=attempt.provider_session_id)
    return state


@retry_when_busy
@own_transaction
def _close_unstarted(attempt_id: int) -> PaymentAttempt:
    """Close an attempt that never reached the provider, as far as we know. Locks the attempt.

    A page that is just being opened is closed by whoever opens it; one that was opened right
    before we died is found by its webhook, whose reference is ours.
    """
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    if not attempt.provider_session_id:
        _apply_unpaid(attempt, ProviderState(ProviderStatus.EXPIRED))
    return attempt


@own_transaction
def _note_asked(attempt_id: int) -> None:
    PaymentAttempt.objects.filter(pk=attempt_id).update(asked_at=now())


@own_transaction
def _note_failure(attempt_id: int, failure: str) -> None:
    PaymentAttempt.objects.filter(pk=attempt_id).update(failure=failure[:300])


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
    failpoint("payments.settlement.booked")
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
    attempt.closed_at = None
    if status in PaymentAttempt.CLOSED_UNPAID:
        attempt.closed_at = now()
        attempt.save()
        attempt_closed.send(PaymentAttempt, attempt=attempt)
