"""News of the provider: an event per change, and the webhook calls that carry it to the shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

from payments.simulator import objects
from payments.simulator.errors import InvalidRequest
from payments.simulator.provider import Provider
from payments.simulator.store import Document

WebhookChoice = Literal["now", "late", "twice", "never"]
WEBHOOK_CHOICES: tuple[str, ...] = get_args(WebhookChoice)

SUBSCRIBED = frozenset(
    {
        "charge.captured",
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.refunded",
        "charge.succeeded",
        "checkout.session.completed",
        "checkout.session.expired",
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
        "payment_intent.payment_failed",
        "payment_intent.succeeded",
        "refund.created",
        "refund.failed",
        "refund.updated",
    }
)
"""What the webhook endpoint is told; other events can only be read through the API."""


@dataclass(frozen=True)
class Cause:
    """The API request that led to a change; empty when a shopper's click did."""

    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class WebhookPlan:
    """When the shop hears of a change; `delay` in seconds stands in for the simulator's own."""

    choice: WebhookChoice = "now"
    delay: float | None = None


AT_ONCE = WebhookPlan()
BY_SHOPPER = Cause()


def webhook_plan(choice: str, *, delay: float | None = None) -> WebhookPlan:
    """Read a choice as it came from a form or from the control door."""
    if choice not in WEBHOOK_CHOICES:
        raise InvalidRequest(
            f"Unknown webhook choice: {choice}. Known: {', '.join(WEBHOOK_CHOICES)}.",
            param="webhook",
        )
    return WebhookPlan(cast(WebhookChoice, choice), delay)


def publish(
    provider: Provider,
    event_type: str,
    subject: Document,
    *,
    plan: WebhookPlan = AT_ONCE,
    cause: Cause = BY_SHOPPER,
    previous: Document | None = None,
) -> Document:
    """Record an event with a snapshot of its subject and queue its deliveries.

    Runs inside the caller's store transaction; deliveries start after it.
    """
    is_sent = event_type in SUBSCRIBED and plan.choice != "never"
    event = objects.event(
        event_type,
        subject,
        request_id=cause.request_id,
        idempotency_key=cause.idempotency_key,
        previous=previous,
        pending_webhooks=1 if is_sent else 0,
        now=provider.now(),
    )
    provider.store.insert(event, label=event_type)
    if event_type in SUBSCRIBED:
        queue(provider, event, plan)
    return event


def redeliver(provider: Provider, event: Document) -> None:
    """Queue one more delivery of an event, whatever happened to the others."""
    with provider.store.transaction():
        queue(provider, event, AT_ONCE)


def queue(provider: Provider, event: Document, plan: WebhookPlan) -> None:
    """Queue an event's deliveries as planned; runs inside the caller's store transaction."""
    due_at = provider.clock.now()
    if plan.choice == "late":
        due_at += provider.late_seconds if plan.delay is None else plan.delay
    state = "withheld" if plan.choice == "never" else "pending"
    for _copy in range(2 if plan.choice == "twice" else 1):
        provider.store.add_delivery(event, due_at=due_at, state=state)
    provider.store.after_commit(provider.wake_postman)
