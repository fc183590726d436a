from __future__ import annotations

from celery import shared_task

from payments.services import inbox, refunds
from shop.tasks import KeyedTask


@shared_task(base=KeyedTask, name="payments.apply_event")
def apply_event(
    *,
    event_id: int,
    session_id: str = "",
    payment_id: str = "",
    reference: str = "",
    refund_id: str = "",
    refund_key: str = "",
    **_: object,
) -> None:
    """Work on a provider's event."""
    inbox.apply(
        event_id,
        session_id=session_id,
        payment_id=payment_id,
        reference=reference,
        refund_id=refund_id,
        refund_key=refund_key,
    )


@shared_task(base=KeyedTask, name="payments.send_refund")
def send_refund(*, refund_id: int, **_: object) -> None:
    """Send a decided refund to the provider."""
    refunds.send(refund_id)
