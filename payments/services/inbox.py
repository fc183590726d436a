"""The inbox of provider events: verified, stored once, answered at once, worked on later."""

from __future__ import annotations

from collections.abc import Mapping

from payments.errors import UnknownAtProvider
from payments.gateways import get_gateway
from payments.gateways.base import VerifiedEvent
from payments.gateways.books import get_books
from payments.models import PaymentAttempt, ProviderEvent
from payments.services import disputes, provider_refunds, refunds, settlement
from payments.services.finding import find_attempt, find_refund
from shop.clock import now
from shop.failpoints import failpoint
from shop.services import outbox
from shop.transactions import no_transaction, own_transaction

NOT_OURS = "ignored: about nothing of ours"
UNKNOWN = "ignored: the provider knows nothing by its number"


@no_transaction
def receive(provider: str, *, body: bytes, headers: Mapping[str, str]) -> bool:
    """Verify and store an event; say whether it was new.

    Raises `ForgedEvent`, and `ProviderUnavailable` when that cannot be told now.
    """
    event = get_gateway(provider).verify_event(body=body, headers=headers)
    is_new = store(provider, event)
    failpoint("payments.inbox.stored")
    return is_new


@own_transaction
def store(provider: str, event: VerifiedEvent) -> bool:
    """Keep an event once; one that is to be ignored is closed at once with the reason."""
    row, is_new = ProviderEvent.objects.get_or_create(
        provider=provider,
        event_id=event.event_id,
        defaults={
            "type": event.type[:80],
            "payload": event.payload,
            "outcome": f"ignored: {event.ignored}"[:200] if event.ignored else "",
            "processed_at": now() if event.ignored else None,
        },
    )
    if is_new and not event.ignored:
        outbox.enqueue(
            "payments.apply_event",
            key=f"event:{provider}:{event.event_id}",
            event_id=row.pk,
            session_id=event.session_id,
            payment_id=event.payment_id,
            charge_id=event.charge_id,
            reference=event.reference,
            refund_id=event.refund_id,
            refund_key=event.refund_key,
            dispute_id=event.dispute_id,
            is_about_refunds=event.is_about_refunds,
        )
    return is_new


@no_transaction
def apply(
    event_id: int,
    *,
    session_id: str = "",
    payment_id: str = "",
    charge_id: str = "",
    reference: str = "",
    refund_id: str = "",
    refund_key: str = "",
    dispute_id: str = "",
    is_about_refunds: bool = False,
) -> str:
    """Settle what an event is about, and note on it what came of that.

    The event is only the occasion: what counts is what the provider says when it is asked again.
    """
    provider = ProviderEvent.objects.values_list("provider", flat=True).get(pk=event_id)
    attempt = find_attempt(
        provider,
        session_id=session_id,
        payment_id=payment_id,
        charge_id=charge_id,
        reference=reference,
    )
    try:
        if dispute_id:
            outcome, attempt = _work_on_dispute(provider, dispute_id, attempt)
        elif refund_id or refund_key:
            outcome, attempt = _work_on_refund(provider, refund_id, refund_key, attempt)
        elif attempt is None:
            outcome = NOT_OURS
        else:
            outcome = _work_on_attempt(attempt, session_id, is_about_refunds=is_about_refunds)
    except UnknownAtProvider:
        if attempt is not None:
            raise  # Ours, and yet unknown there: somebody has to look why.
        outcome = UNKNOWN
    failpoint("payments.inbox.applied")
    _note(event_id, outcome=outcome, attempt_id=attempt.pk if attempt else None)
    return outcome


Work = tuple[str, PaymentAttempt | None]


def _work_on_dispute(provider: str, dispute_id: str, attempt: PaymentAttempt | None) -> Work:
    books = get_books(provider)
    if books is None:
        return "ignored: disputes of this provider are not read", attempt
    dispute = disputes.take(provider, books.fetch_dispute(dispute_id))
    if dispute is None:
        return NOT_OURS if attempt is None else "left to staff as a break", attempt
    return f"dispute is {dispute.status}", dispute.attempt


def _work_on_refund(
    provider: str, refund_id: str, refund_key: str, attempt: PaymentAttempt | None
) -> Work:
    """Ask how a refund stands; one that we do not know began at the provider."""
    if known := find_refund(provider, refund_id=refund_id, key=refund_key):
        return f"refund is {refunds.check(known.pk).status}", known.attempt
    books = get_books(provider)
    if books is None or not refund_id:
        if attempt is None:
            return NOT_OURS, None
        return f"attempt is {settlement.settle(attempt.pk).status}", attempt
    found = books.fetch_refund(refund_id)
    if found.is_release:
        return "ignored: nothing had been taken, so nothing goes back", attempt
    if found.dispute_id:
        return _work_on_dispute(provider, found.dispute_id, attempt)
    refund = provider_refunds.take(provider, found)
    if refund is not None:
        return f"refund is {refund.status}", refund.attempt
    if attempt is None:
        return NOT_OURS, None
    if found.result.failure:
        return "ignored: a refund that failed before we knew of it", attempt
    return "left to staff as a break", attempt


def _work_on_attempt(attempt: PaymentAttempt, session_id: str, *, is_about_refunds: bool) -> str:
    if session_id and not attempt.provider_session_id:
        _adopt_session(attempt.pk, session_id)
    settled = settlement.settle(attempt.pk)
    outcome = f"attempt is {settled.status}"
    if is_about_refunds:
        provider_refunds.take_all_of(settled)
        kept = refunds.get_kept(settled)
        outcome += f", {kept.amount} {kept.currency} kept"
    return outcome


@own_transaction
def _adopt_session(attempt_id: int, session_id: str) -> None:
    """Learn the page of an attempt whose start we did not live to record."""
    PaymentAttempt.objects.filter(pk=attempt_id, provider_session_id="").update(
        provider_session_id=session_id, checked_at=None
    )


@own_transaction
def _note(event_id: int, *, outcome: str, attempt_id: int | None) -> None:
    ProviderEvent.objects.filter(pk=event_id).update(
        processed_at=now(), outcome=outcome[:200], attempt_id=attempt_id
    )
