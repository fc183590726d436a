from __future__ import annotations

from datetime import datetime

from celery import shared_task

from payments.models import Refund
from payments.services import (
    authorisations,
    declines,
    inbox,
    listing,
    people,
    provider_refunds,
    reconciliation,
    refunds,
)
from shop.tasks import KeyedTask


@shared_task(base=KeyedTask, name="payments.apply_event")
def apply_event(
    *,
    event_id: int,
    session_id: str = "",
    payment_id: str = "",
    charge_id: str = "",
    reference: str = "",
    refund_id: str = "",
    refund_key: str = "",
    dispute_id: str = "",
    is_about_refunds: bool = False,
    **_: object,
) -> None:
    """Work on a provider's event."""
    inbox.apply(
        event_id,
        session_id=session_id,
        payment_id=payment_id,
        charge_id=charge_id,
        reference=reference,
        refund_id=refund_id,
        refund_key=refund_key,
        dispute_id=dispute_id,
        is_about_refunds=is_about_refunds,
    )


@shared_task(base=KeyedTask, name="payments.send_refund")
def send_refund(*, refund_id: int, **_: object) -> None:
    """Send a decided refund to the provider; where it is refused, somebody may have been faster."""
    refund = refunds.send(refund_id)
    if refund.status == Refund.Status.FAILED:
        provider_refunds.take_all_of(refund.attempt)


@shared_task(name="payments.watch_declines")
def watch_declines(**_: object) -> None:
    """Look whether far more payments are declined than usual."""
    declines.watch()


@shared_task(base=KeyedTask, name="payments.take")
def take(*, capture_id: int, **_: object) -> None:
    """Take money that was set aside."""
    authorisations.take(capture_id)


@shared_task(base=KeyedTask, name="payments.release")
def release(*, attempt_id: int, **_: object) -> None:
    """Let go of money that was set aside and is not wanted."""
    authorisations.release(attempt_id)


@shared_task(name="payments.list_events")
def list_events(**_: object) -> None:
    """Read the events that no provider could deliver."""
    listing.list_everywhere()


@shared_task(base=KeyedTask, name="payments.list_more_events")
def list_more_events(*, provider: str, after: str, **_: object) -> None:
    """Go on listing where an earlier task stopped."""
    listing.list_events(provider, after=after)


@shared_task(name="payments.plan_reconciliation")
def plan_reconciliation(**_: object) -> None:
    """Decide to reconcile yesterday, once."""
    reconciliation.plan_day(reconciliation.yesterday())


@shared_task(base=KeyedTask, name="payments.reconcile")
def reconcile(*, provider: str, since: str, until: str, **_: object) -> None:
    """Reconcile a few hours with a provider."""
    reconciliation.reconcile(
        provider, since=datetime.fromisoformat(since), until=datetime.fromisoformat(until)
    )


@shared_task(base=KeyedTask, name="payments.forget_customer")
def forget_customer(*, provider: str, customer_id: str, **_: object) -> None:
    """Have a provider forget somebody who was erased, with their cards."""
    people.forget_customer(provider, customer_id)


@shared_task(name="payments.forget_old")
def forget_old(**_: object) -> None:
    """Empty providers' messages that were worked on long ago."""
    people.forget_old()
