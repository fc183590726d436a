"""What an event of PayPal's is about, whatever its shape; or why nothing is to be done.

Source: PayPal, "Webhook event names".
"""

from __future__ import annotations

import re
from typing import Any

from payments.errors import ForgedEvent
from payments.gateways.base import VerifiedEvent
from payments.gateways.event_body import is_name, make_storable
from payments.gateways.paypal_client import Document
from payments.gateways.paypal_documents import capture_of, id_in_link, list_in, order_of, word

RELEVANT_TYPES = frozenset(
    {
        *("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.DECLINED"),
        *("PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.REFUNDED"),
        *("PAYMENT.CAPTURE.REVERSED", "CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED"),
        "CUSTOMER.DISPUTE.RESOLVED",
    }
)
"""What a webhook should be told; the hourly listing keeps the same."""
ABOUT_REFUNDS = ("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED")
CONCERNS_PAYMENTS = ("authorization", "capture", "checkout-order", "dispute", "refund")
REFUND_OF_LINK = re.compile(r"/v[12]/payments/refunds?/([A-Z0-9]+)$")


def event_of(payload: Any) -> VerifiedEvent:
    """Say which attempt, refund or dispute an event is about, or why about none.

    Raises `ForgedEvent` for what is no event.
    """
    payload = make_storable(payload)
    event_id, event_type = payload.get("id"), payload.get("event_type")
    subject, kind = payload.get("resource"), word(payload, "resource_type")
    if not (is_name(event_id) and is_name(event_type) and isinstance(subject, dict)):
        raise ForgedEvent("the body is no PayPal event")
    if kind and kind not in CONCERNS_PAYMENTS:
        reason = f"about {kind[:60]}, which this shop does not use"
        return VerifiedEvent(event_id, event_type, payload, ignored=reason)
    return VerifiedEvent(event_id, event_type, payload, **_clues_in(event_type, kind, subject))


def _clues_in(event_type: str, kind: str, subject: Document) -> dict[str, Any]:
    """Read whose money an event is about. Its first version calls a refund a capture, too."""
    clues: dict[str, Any] = {}
    is_refund = kind == "refund" or bool(id_in_link(subject, REFUND_OF_LINK, rel="self"))
    if kind == "checkout-order":
        unit = next(iter(list_in(subject, "purchase_units")), {})
        clues = {"session_id": word(subject, "id"), "reference": word(unit, "custom_id")}
    elif kind == "capture" and not is_refund:
        clues = {
            "session_id": order_of(subject),
            "payment_id": word(subject, "id"),
            "reference": word(subject, "custom_id"),
            "is_about_refunds": event_type in ABOUT_REFUNDS,
        }
    elif is_refund:
        clues = {
            "payment_id": capture_of(subject),
            "refund_id": word(subject, "id"),
            "refund_key": word(subject, "invoice_id"),
        }
    elif kind == "dispute":
        disputed = next(iter(list_in(subject, "disputed_transactions")), {})
        clues = {
            "dispute_id": word(subject, "dispute_id"),
            "payment_id": word(disputed, "seller_transaction_id"),
            "reference": word(disputed, "custom"),
        }
    return {
        name: value if is_name(value) or isinstance(value, bool) else ""
        for name, value in clues.items()
    }
