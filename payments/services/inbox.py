"""The inbox of provider events: verified, stored once, answered at once, worked on later."""

from __future__ import annotations

from django.db.models import Q

from payments.gateways import get_gateway
from payments.gateways.base import VerifiedEvent
from payments.models import PaymentAttempt, ProviderEvent, Refund
from payments.services import refunds, settlement
from shop.clock import now
from shop.failpoints import failpoint
from shop.services import outbox
from shop.transactions import no_transaction, own_transaction


@no_transaction
def receive(provider: str, *, body: bytes, signature: str) -> bool:
    """Verify and store an event; say whether it was new. Raises `ForgedEvent`."""
    event = get_gateway(provider).verify_event(body=body, signature=signature)
    is_new = _store(provider, event)
    failpoint("payments.inbox.stored")
    return is_new


@own_transaction
def _store(provider: str, event: VerifiedEvent) -> bool:
    row, is_new = ProviderEvent.objects.get_or_create(
        provider=provider,
        event_id=event.event_id,
        defaults={"type": event.type[:80], "payload": event.payload},
    )
    if is_new:
        outbox.enqueue(
            "payments.apply_event",
            key=f"event:{provider}:{event.event_id}",
            event_id=row.pk,
            session_id=event.session_id,
            payment_id=event.payment_id,
            reference=event.reference,
            refund_id=event.refund_id,
            refund_key=event.refund_key,
        )
    return is_new


@no_transaction
def apply(
    event_id: int,
    *,
    session_id: str,
    payment_id: str,
    reference: str,
    refund_id: str = "",
    refund_key: str = "",
) -> str:
    """Settle the attempt or refund that an event is about, and note on it what came of that.

    The event is only the occasion: what counts is what the provider says when it is asked again.
    """
    event = ProviderEvent.objects.get(pk=event_id)
    attempt = _find_attempt(event.provider, session_id, payment_id, reference)
    if refund := _find_refund(event.provider, refund_id, refund_key):
        attempt = refund.attempt
        outcome = f"refund is {refunds.check(refund.pk).status}"
    elif attempt is None:
        outcome = "ignored: about nothing of ours"
    else:
        if session_id and not attempt.provider_session_id:
            _adopt_session(attempt.pk, session_id)
        outcome = f"attempt is {settlement.settle(attempt.pk).status}"
    failpoint("payments.inbox.applied")
    _note(event_id, outcome=outcome, attempt_id=attempt.pk if attempt else None)
    return outcome


def _find_attempt(
    provider: str, session_id: str, payment_id: str, reference: str
) -> PaymentAttempt | None:
    clue = Q()
    if session_id:
        clue |= Q(provider_session_id=session_id)
    if payment_id:
        clue |= Q(provider_payment_id=payment_id)
    if reference:
        clue |= Q(reference=reference)
    return PaymentAttempt.objects.filter(clue, provider=provider).first() if clue else None


def _find_refund(provider: str, refund_id: str, refund_key: str) -> Refund | None:
    clue = Q()
    if refund_id:
        clue |= Q(provider_id=refund_id)
    if refund_key:
        clue |= Q(key=refund_key)
    refunds_of = Refund.objects.select_related("attempt").filter(attempt__provider=provider)
    return refunds_of.filter(clue).first() if clue else None


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
