"""Settlement: one function reads the provider's truth about an attempt and applies it.

Webhook task, browser return, sweeper and admin button all call `settle`; it may run at any time,
any number of times, in any order, and ends in the same state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payments.errors import ProviderRefused, ProviderUnavailable, UnknownAtProvider
from payments.gateways import get_gateway
from payments.gateways.base import Gateway, ProviderState, ProviderStatus
from payments.models import Capture, PaymentAttempt, PaymentTransaction
from payments.services import movements
from payments.signals import (
    attempt_authorised,
    attempt_captured,
    attempt_closed,
    attempt_held,
    capture_failed,
)
from shop.clock import now
from shop.failpoints import failpoint
from shop.locking import retry_when_busy
from shop.money import Money
from shop.prepared import Prepared, update
from shop.services import outbox
from shop.transactions import inside_transaction, no_transaction, own_transaction

UNPAID_STATUS = {
    ProviderStatus.OPEN: PaymentAttempt.Status.STARTED,
    ProviderStatus.PROCESSING: PaymentAttempt.Status.PROCESSING,
    ProviderStatus.FAILED: PaymentAttempt.Status.FAILED,
    ProviderStatus.EXPIRED: PaymentAttempt.Status.EXPIRED,
}
AUTHORISATION_LASTS = timedelta(days=7)
"""How long an authorisation of a card lasts where the provider does not say: Stripe, "Place a hold
on a payment method"."""
_read = Prepared(lambda pk: PaymentAttempt.objects.filter(pk=pk))
lock_attempt = Prepared(lambda pk: PaymentAttempt.objects.select_for_update().filter(pk=pk))
CAPTURE_TAKES = timedelta(minutes=1)
"""Longer than our calls to take an approved payment last: until then it may still go through."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said, and when a capture had last been asked for as we asked it.

    `is_of_capture` says that the answer is about that very capture, so its outcome is known.
    """

    state: ProviderState
    capture_asked_at: datetime | None
    is_of_capture: bool = False


@no_transaction
def ask(attempt_id: int, *, give_up: bool = False) -> PaymentAttempt:
    """Settle an attempt that no event is about, and put on record first that it was asked."""
    _note_asked(attempt_id)
    return settle(attempt_id, give_up=give_up)


@no_transaction
def settle(attempt_id: int, *, give_up: bool = False) -> PaymentAttempt:
    """Bring an attempt to the state that the provider reports, and return it.

    What the shopper approved at a provider that leaves the taking to us is taken here, as long as
    the attempt is open: with that on record first, under the attempt's lock, so that an attempt
    that was given up is never captured, and one that is being captured is not given up.

    `give_up` asks the provider to close a page that is still open, as expiry and cancellation do,
    and takes a page that the provider does not know for one that ended. Raises
    `ProviderUnavailable` when the provider cannot be asked; nothing is assumed then. Raises
    `UnknownAtProvider` for an unknown page that is not to be given up, `ProviderRefused` when an
    approved payment cannot be taken for a reason that staff must look at. Locks the attempt, then
    whatever the receivers of the news lock (order, stock).
    """
    attempt = _read.get(attempt_id)
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


def _fetch(attempt: PaymentAttempt, *, give_up: bool) -> Answer:
    gateway = get_gateway(attempt.provider)
    state = _ask_provider(gateway, attempt, give_up=give_up)
    if state.status is ProviderStatus.APPROVED and not give_up:
        return _capture(gateway, attempt)
    return Answer(state, attempt.capture_asked_at)


def _ask_provider(gateway: Gateway, attempt: PaymentAttempt, *, give_up: bool) -> ProviderState:
    try:
        state = gateway.fetch(session_id=attempt.provider_session_id)
    except UnknownAtProvider as error:
        if not give_up:
            _note_failure(attempt.pk, f"unknown at the provider: {error.reason}")
            raise
        return ProviderState(
            ProviderStatus.EXPIRED, failure=f"unknown at the provider: {error.reason}"
        )
    if not give_up or state.status not in (ProviderStatus.OPEN, ProviderStatus.APPROVED):
        return state
    if attempt.capture_asked_at and attempt.capture_asked_at > now() - CAPTURE_TAKES:
        return ProviderState(ProviderStatus.PROCESSING)
    return gateway.expire(session_id=attempt.provider_session_id)


def _capture(gateway: Gateway, attempt: PaymentAttempt) -> Answer:
    """Take what was approved, unless nobody wants it any more."""
    asked_at = _note_capture(attempt.pk)
    if asked_at is None:
        return Answer(ProviderState(ProviderStatus.EXPIRED), attempt.capture_asked_at)
    failpoint("payments.settlement.capturing")
    try:
        state = gateway.capture(session_id=attempt.provider_session_id, key=attempt.reference)
    except ProviderRefused as error:
        _note_failure(attempt.pk, f"not captured: {error.reason}")
        _forget_capture(attempt.pk, asked_at)
        raise
    if state.status is ProviderStatus.APPROVED:
        raise ProviderUnavailable("asked to capture, the provider says that it is only approved")
    return Answer(state, asked_at, is_of_capture=True)


@retry_when_busy
@own_transaction
def _note_capture(attempt_id: int) -> datetime | None:
    """Put on record that an open attempt is about to be captured; say when. Locks the attempt."""
    attempt = lock_attempt.get(attempt_id)
    if not attempt.is_open:
        return None
    attempt.status = PaymentAttempt.Status.PROCESSING
    attempt.capture_asked_at = now()
    attempt.save(update_fields=["status", "capture_asked_at"])
    return attempt.capture_asked_at


@own_transaction
def _forget_capture(attempt_id: int, asked_at: datetime) -> None:
    """Note that the outcome of a capture is known, unless another was begun meanwhile."""
    PaymentAttempt.objects.filter(pk=attempt_id, capture_asked_at=asked_at).update(
        capture_asked_at=None
    )


@retry_when_busy
@own_transaction
def _close_unstarted(attempt_id: int) -> PaymentAttempt:
    """Close an attempt that never reached the provider, as far as we know. Locks the attempt.

    A page that is just being opened is closed by whoever opens it; one that was opened right
    before we died is found by its webhook, whose reference is ours.
    """
    attempt = lock_attempt.get(attempt_id)
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
def _apply(attempt_id: int, answer: Answer) -> PaymentAttempt:
    """Apply an answer, unless a capture was begun since the question and it says "not paid"."""
    attempt = lock_attempt.get(attempt_id)
    attempt.checked_at = now()
    is_current = attempt.capture_asked_at == answer.capture_asked_at
    is_paid = answer.state.status is ProviderStatus.PAID
    if is_paid or (is_current and answer.is_of_capture):
        attempt.capture_asked_at = None
    is_saved = False
    if is_paid:
        is_saved = _apply_payment(attempt, answer.state)
    elif answer.state.status is ProviderStatus.AUTHORISED:
        _apply_authorisation(attempt, answer.state)
    elif is_current:
        _apply_unpaid(attempt, answer.state)
    if not is_saved:
        update(attempt)
    failpoint("payments.settlement.booked")
    return attempt


def _apply_payment(attempt: PaymentAttempt, state: ProviderState) -> bool:
    """Book a payment and tell the news; say whether the attempt was saved before that."""
    if not attempt.can_become(PaymentAttempt.Status.CAPTURED):
        return False
    if state.captured is None:
        raise ProviderUnavailable("paid, but the provider does not say how much")
    attempt.provider_payment_id = state.payment_id
    movements.book(
        attempt,
        PaymentTransaction.Kind.CAPTURE,
        provider_id=state.charge_id or state.payment_id,
        money=state.captured,
    )
    attempt.closed_at = now()
    is_as_decided = _close_capture(attempt, taken=state.captured)
    if is_as_decided or state.captured == attempt.money:
        attempt.status = PaymentAttempt.Status.CAPTURED
        update(attempt)
        attempt_captured.send(PaymentAttempt, attempt=attempt)
    else:
        attempt.status = PaymentAttempt.Status.HELD
        asked, came = attempt.money, state.captured
        attempt.failure = (
            f"{asked.amount:f} {asked.currency} was asked for, {came.amount:f} {came.currency} came"
        )
        attempt.save()
        attempt_held.send(PaymentAttempt, attempt=attempt)
    return True


def _apply_authorisation(attempt: PaymentAttempt, state: ProviderState) -> None:
    """Note money that is set aside, once: an authorisation that ended does not come back."""
    is_known = attempt.status == PaymentAttempt.Status.AUTHORISED
    if is_known and state.authorised_until:
        attempt.authorised_until = state.authorised_until
    if attempt.authorised_at or not attempt.can_become(PaymentAttempt.Status.AUTHORISED):
        return
    attempt.provider_payment_id = state.payment_id
    attempt.status = PaymentAttempt.Status.AUTHORISED
    attempt.authorised_at = now()
    attempt.authorised_until = state.authorised_until or now() + AUTHORISATION_LASTS
    attempt.closed_at = None
    attempt.failure = ""
    if state.authorised != attempt.money:
        attempt.failure = f"asked for {attempt.money}, authorised were {state.authorised}"[:300]
        request_release(attempt)
        return
    attempt.save()
    attempt_authorised.send(PaymentAttempt, attempt=attempt)


@inside_transaction
def request_release(attempt: PaymentAttempt) -> None:
    """Decide once that money which was set aside is not wanted; a task tells the provider.

    The attempt must be locked by the caller.
    """
    if attempt.release_asked_at is None:
        attempt.release_asked_at = now()
        attempt.save()
        outbox.enqueue("payments.release", key=f"release:{attempt.pk}", attempt_id=attempt.pk)


def _close_capture(attempt: PaymentAttempt, *, taken: Money | None, failure: str = "") -> bool:
    """End what is being taken of an attempt; say whether exactly that was taken."""
    capture = attempt.captures.filter(status=Capture.Status.PENDING).first()
    if capture is None:
        return False
    is_as_decided = capture.money == taken
    capture.status = Capture.Status.SUCCEEDED if is_as_decided else Capture.Status.FAILED
    capture.closed_at = now()
    if not is_as_decided:
        capture.failure = (failure or f"the provider took {taken}")[:300]
    capture.save()
    return is_as_decided


@retry_when_busy
@own_transaction
def fail_capture(capture_id: int, failure: str) -> None:
    """Note that the provider refuses to take the money, though it is still set aside.

    Locks the attempt, then what the receivers of the news lock.
    """
    attempt_id = Capture.objects.values_list("attempt_id", flat=True).get(pk=capture_id)
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    capture = attempt.captures.get(pk=capture_id)
    if capture.status == Capture.Status.PENDING:
        _close_capture(attempt, taken=None, failure=failure)
        capture.refresh_from_db()
        capture_failed.send(PaymentAttempt, attempt=attempt, capture=capture)


def _apply_unpaid(attempt: PaymentAttempt, state: ProviderState) -> None:
    status = UNPAID_STATUS[state.status]
    if (
        attempt.status == PaymentAttempt.Status.AUTHORISED
        and status in PaymentAttempt.CLOSED_UNPAID
    ):
        is_released = attempt.release_asked_at is not None
        status = PaymentAttempt.Status.CANCELLED if is_released else PaymentAttempt.Status.EXPIRED
    attempt.provider_payment_id = attempt.provider_payment_id or state.payment_id
    if attempt.status == status or not attempt.can_become(status):
        return
    attempt.status = status
    attempt.failure = state.failure[:300]
    attempt.closed_at = None
    if status in PaymentAttempt.CLOSED_UNPAID:
        attempt.closed_at = now()
        _close_capture(attempt, taken=None, failure="the authorisation is over")
        attempt.save()
        attempt_closed.send(PaymentAttempt, attempt=attempt)
