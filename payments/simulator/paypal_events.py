"""PayPal's news: an event per change, signed with a key whose certificate can be fetched here.

Source: PayPal, "Webhooks: integrate, verify messages yourself".
"""

from __future__ import annotations

import base64
import uuid
import zlib
from urllib.parse import urlsplit

from payments.simulator import paypal_shapes
from payments.simulator.events import AT_ONCE, WebhookPlan, queue
from payments.simulator.paypal_shapes import Document, moment
from payments.simulator.provider import Provider
from shop import clock

EVENT = "paypal.event"
CERTIFICATES = "/v1/notifications/certs/"
SUMMARIES = {
    "CUSTOMER.DISPUTE.CREATED": "A new dispute was opened",
    "CUSTOMER.DISPUTE.RESOLVED": "A dispute was resolved",
    "CUSTOMER.DISPUTE.UPDATED": "A dispute was updated",
    "CHECKOUT.ORDER.APPROVED": "An order has been approved by buyer",
    "PAYMENT.CAPTURE.COMPLETED": "Payment completed",
    "PAYMENT.CAPTURE.DENIED": "Payment denied",
    "PAYMENT.CAPTURE.PENDING": "Payment pending",
    "PAYMENT.CAPTURE.REFUNDED": "A payment was refunded",
    "PAYMENT.CAPTURE.REVERSED": "A payment was reversed",
}


def sign(provider: Provider, body: bytes, *, age: float = 0) -> dict[str, str]:
    """Return the headers that PayPal sends with a message; `age` is how long ago, in seconds."""
    key = provider.paypal_key
    transmission_id = str(uuid.uuid4())
    sent_at = moment(clock.now().timestamp() - age)
    signed = f"{transmission_id}|{sent_at}|{provider.paypal_webhook_id}|{zlib.crc32(body)}"
    signature = key.sign(signed.encode())
    return {
        "PAYPAL-TRANSMISSION-ID": transmission_id,
        "PAYPAL-TRANSMISSION-TIME": sent_at,
        "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signature).decode(),
        "PAYPAL-CERT-URL": f"{_origin(provider)}{CERTIFICATES}{key.id}",
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
    }


def publish(
    provider: Provider,
    event_type: str,
    kind: str,
    resource: Document,
    *,
    plan: WebhookPlan = AT_ONCE,
) -> Document:
    """Record an event with a snapshot of its resource and queue its deliveries.

    Runs inside the caller's store transaction; deliveries start after it.
    """
    event = paypal_shapes.event(
        event_type,
        kind,
        resource,
        base=provider.public_url,
        summary=SUMMARIES[event_type],
        now=provider.now(),
    )
    kept = {
        "id": event["id"],
        "object": EVENT,
        "type": event_type,
        "created": provider.now(),
        "wire": event,
    }
    provider.store.insert(kept, label=event_type)
    queue(provider, kept, plan if provider.paypal_webhook_url else WebhookPlan("never"))
    return event


def redeliver(provider: Provider, kept: Document) -> None:
    """Queue one more delivery of an event, whatever happened to the others."""
    with provider.store.transaction():
        queue(provider, kept, AT_ONCE)


def _origin(provider: Provider) -> str:
    parts = urlsplit(provider.public_url)
    return f"{parts.scheme}://{parts.netloc}"
