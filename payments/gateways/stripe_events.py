"""What an event of Stripe's is about, whatever its shape; or why nothing is to be done.

Sources: Stripe, "The Event object" and "Types of events".
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from payments.errors import ForgedEvent
from payments.gateways.base import VerifiedEvent
from payments.gateways.event_body import is_name, make_storable, read_body

CONCERNS_PAYMENTS = ("checkout.session", "payment_intent", "charge", "refund", "dispute")
NO_CONCERN = {
    "balance": "the provider's account, not a payment",
    "payout": "money on its way to the shop's bank, not a payment",
    "customer": "the shop keeps its own customers",
    "payment_method": "the shop keeps no cards, it asks for them",
    "card": "the shop keeps no cards",
    "bank_account": "the shop keeps no bank accounts",
    "source": "the shop keeps no cards",
    "mandate": "the shop keeps no mandates",
    "setup_intent": "nothing is paid by it",
    "coupon": "the shop keeps its own discounts",
    "promotion_code": "the shop keeps its own discounts",
    "discount": "the shop keeps its own discounts",
    "price": "the shop keeps its own prices",
    "plan": "the shop keeps its own prices",
    "product": "the shop keeps its own products",
    "invoice": "the shop bills by itself",
    "subscription": "the shop sells no subscriptions",
}
ABOUT_REFUNDS = ("charge.refunded",)
RELEVANT_TYPES = (
    *("charge.captured", "charge.refund.updated", "charge.refunded", "charge.succeeded"),
    *("charge.dispute.closed", "charge.dispute.created", "charge.dispute.funds_reinstated"),
    *("charge.dispute.funds_withdrawn", "charge.dispute.updated"),
    *("checkout.session.async_payment_failed", "checkout.session.async_payment_succeeded"),
    *("checkout.session.completed", "checkout.session.expired"),
    *("payment_intent.amount_capturable_updated", "payment_intent.canceled"),
    *("payment_intent.payment_failed", "payment_intent.succeeded"),
    *("refund.created", "refund.failed", "refund.updated"),
)
"""What a webhook endpoint should be told; the hourly listing asks for the same. Stripe lists up to
twenty types at a time."""


def read_event(body: bytes) -> VerifiedEvent:
    """Read the body of a webhook whose signature held. Raises `ForgedEvent` for what is no event."""
    return event_of(read_body(body))


def event_of(payload: Any) -> VerifiedEvent:
    """Say which attempt, refund or dispute an event is about, or why about none.

    Raises `ForgedEvent` for what is no event.
    """
    payload = make_storable(payload)
    event_id, event_type = payload.get("id"), payload.get("type")
    if not (is_name(event_id) and is_name(event_type)):
        raise ForgedEvent("the body is no Stripe event")
    subject = _member(_member(payload, "data"), "object")
    kind = _text(subject, "object")
    words = _member(subject, "metadata")
    return VerifiedEvent(
        event_id=event_id,
        type=event_type,
        payload=payload,
        session_id=_text(subject, "id") if kind == "checkout.session" else "",
        payment_id=_text(subject, "id" if kind == "payment_intent" else "payment_intent"),
        charge_id=_text(subject, "id" if kind == "charge" else "charge"),
        reference=_text(words, "reference"),
        refund_id=_text(subject, "id") if kind == "refund" else "",
        refund_key=_text(words, "key") if kind == "refund" else "",
        dispute_id=_text(subject, "id") if kind == "dispute" else "",
        is_about_refunds=event_type in ABOUT_REFUNDS,
        ignored=_why_ignored(payload, subject, kind),
    )


def _why_ignored(payload: dict[str, Any], subject: dict[str, Any], kind: str) -> str:
    if account := payload.get("account"):
        return f"of another account ({str(account)[:60]})"
    if payload.get("livemode") is True and "_test_" in settings.STRIPE_SECRET_KEY:
        return "a live event, and this shop's key is for tests"
    if payload.get("livemode") is False and "_live_" in settings.STRIPE_SECRET_KEY:
        return "a test event, and this shop's key is live"
    if kind in CONCERNS_PAYMENTS or _text(subject, "payment_intent") or _text(subject, "charge"):
        return ""
    if kind in NO_CONCERN:
        return NO_CONCERN[kind]
    return f"about {kind[:60]}, which this shop does not use" if kind else "about nothing we know"


def _member(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _text(subject: dict[str, Any], name: str) -> str:
    """Read a name of something: a text, or an object that Stripe was asked to expand."""
    value = subject.get(name)
    if isinstance(value, dict):
        value = value.get("id")
    return value if is_name(value) else ""
