"""The life of a PayPal order: made, approved, captured, refunded, or left until it runs out.

Every change is one store transaction. The documents keep what the API shows and, beside it, what
the shopper decided: how the capture is to end, and when the shop is to hear of it.
"""

from __future__ import annotations

from decimal import Decimal

from payments.simulator import paypal_shapes
from payments.simulator.events import AT_ONCE, WebhookPlan
from payments.simulator.paypal_errors import PayPalRefusal
from payments.simulator.paypal_events import publish
from payments.simulator.paypal_rules import check_refund
from payments.simulator.paypal_shapes import Document
from payments.simulator.provider import Provider
from payments.simulator.store import Condition

ORDER = "paypal.order"
CAPTURE = "paypal.capture"
REFUND = "paypal.refund"
LIFE_SECONDS = 3 * 60 * 60
OUTCOMES = ("completed", "pending", "declined")
"""What the shopper's bank does once the shop captures."""


def open_order(provider: Provider, body: Document) -> Document:
    """Make an order from a checked body."""
    context = body["payment_source"]["paypal"]["experience_context"]
    now = provider.now()
    kept = {
        "id": paypal_shapes.new_id(),
        "object": ORDER,
        "created": now,
        "updated": now,
        "status": "PAYER_ACTION_REQUIRED",
        "unit": {"reference_id": "default", **body["purchase_units"][0]},
        "context": context,
        "outcome": "completed",
        "plan": "now",
        "delay": None,
        "is_gone": False,
    }
    provider.store.insert(kept, label=kept["status"])
    return kept


def get_order(provider: Provider, order_id: str) -> Document:
    """Return an order; one that nobody paid is unknown after three hours, as at PayPal."""
    kept = provider.store.get(ORDER, order_id)
    if kept is None or _is_over(provider, kept):
        raise PayPalRefusal(404, "INVALID_RESOURCE_ID")
    return kept


def written_order(provider: Provider, kept: Document) -> Document:
    """Return an order as the API writes it now, with its captures and refunds."""
    base = provider.public_url
    captures = _of_order(provider, CAPTURE, kept["id"])
    refunds = _of_order(provider, REFUND, kept["id"])
    return paypal_shapes.order(
        kept,
        base=base,
        payments={
            "captures": [paypal_shapes.capture(each, base=base) for each in captures],
            "refunds": [paypal_shapes.refund(each, base=base) for each in refunds],
        },
    )


def approve(
    provider: Provider, order_id: str, *, outcome: str = "completed", plan: WebhookPlan = AT_ONCE
) -> Document:
    """Let the shopper agree. `outcome` is what becomes of the capture, `plan` when it is told."""
    with provider.store.transaction():
        kept = get_order(provider, order_id)
        if kept["status"] == "COMPLETED":
            return kept
        kept.update(status="APPROVED", outcome=outcome, plan=plan.choice, delay=plan.delay)
        _update(provider, kept)
        publish(
            provider,
            "CHECKOUT.ORDER.APPROVED",
            "checkout-order",
            written_order(provider, kept),
            plan=plan,
        )
        return kept


def run_out(provider: Provider, order_id: str) -> Document:
    """Let an unpaid order end before its time."""
    with provider.store.transaction():
        kept = get_order(provider, order_id)
        kept["is_gone"] = kept["status"] != "COMPLETED"
        _update(provider, kept)
        return kept


def capture(provider: Provider, order_id: str) -> Document:
    """Take the money of an approved order, as far as the shopper's bank lets us."""
    with provider.store.transaction():
        kept = get_order(provider, order_id)
        if kept["status"] == "COMPLETED":
            raise PayPalRefusal(422, "ORDER_ALREADY_CAPTURED")
        if kept["status"] != "APPROVED":
            raise PayPalRefusal(422, "ORDER_NOT_APPROVED")
        if kept["outcome"] == "declined":
            raise PayPalRefusal(422, "INSTRUMENT_DECLINED")
        _refuse_second_invoice(provider, kept)
        is_pending = kept["outcome"] == "pending"
        made = {
            "id": paypal_shapes.new_id(),
            "object": CAPTURE,
            "payment_intent": order_id,
            "charge": kept["unit"].get("invoice_id"),
            "created": provider.now(),
            "updated": provider.now(),
            "order_id": order_id,
            "status": "PENDING" if is_pending else "COMPLETED",
            "reason": "PENDING_REVIEW" if is_pending else None,
            "amount": {name: kept["unit"]["amount"][name] for name in ("currency_code", "value")},
            "invoice_id": kept["unit"].get("invoice_id"),
            "custom_id": kept["unit"].get("custom_id"),
        }
        provider.store.insert(made, label=made["status"])
        kept["status"] = "COMPLETED"
        _update(provider, kept)
        _tell_of_capture(provider, made, f"PAYMENT.CAPTURE.{made['status']}")
        return kept


def decide_capture(provider: Provider, capture_id: str, *, is_completed: bool) -> Document:
    """End the review of a pending capture."""
    with provider.store.transaction():
        kept = get_capture(provider, capture_id)
        if kept["status"] != "PENDING":
            return kept
        kept["status"] = "COMPLETED" if is_completed else "DECLINED"
        kept["reason"] = None if is_completed else "DECLINED_BY_RISK_FRAUD_FILTERS"
        _update(provider, kept)
        _tell_of_capture(
            provider, kept, f"PAYMENT.CAPTURE.{'COMPLETED' if is_completed else 'DENIED'}"
        )
        return kept


def get_capture(provider: Provider, capture_id: str) -> Document:
    return _get(provider, CAPTURE, capture_id)


def get_refund(provider: Provider, refund_id: str) -> Document:
    return _get(provider, REFUND, refund_id)


def get_capture_of(provider: Provider, order_id: str) -> Document:
    """Return the capture of an order that was paid."""
    made = _of_order(provider, CAPTURE, order_id)
    if not made:
        raise PayPalRefusal(404, "INVALID_RESOURCE_ID")
    return made[0]


def begin_refund_elsewhere(
    provider: Provider,
    order_id: str,
    *,
    amount: str | None = None,
    note: str | None = None,
    plan: WebhookPlan = AT_ONCE,
) -> Document:
    """Refund the payment of an order as staff can from PayPal's own pages."""
    with provider.store.transaction():
        captured = get_capture_of(provider, order_id)
        body: Document = {}
        if amount is not None:
            body["amount"] = {**captured["amount"], "value": amount}
        if note is not None:
            body["note_to_payer"] = note
        check_refund(body)
        return refund(provider, captured["id"], body, plan=plan)


def refund(
    provider: Provider,
    capture_id: str,
    body: Document,
    *,
    plan: WebhookPlan = AT_ONCE,
    is_reversal: bool = False,
) -> Document:
    """Send money of a capture back, the whole rest unless an amount is given.

    A reversal is PayPal's own doing, because of a dispute.
    """
    with provider.store.transaction():
        captured = get_capture(provider, capture_id)
        if captured["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED"):
            is_empty = captured["status"] == "REFUNDED"
            raise PayPalRefusal(422, "CAPTURE_FULLY_REFUNDED" if is_empty else "REFUND_NOT_ALLOWED")
        currency = captured["amount"]["currency_code"]
        left = Decimal(captured["amount"]["value"]) - _refunded(provider, captured)
        wanted = body.get("amount") or paypal_shapes.money(left, currency)
        if wanted["currency_code"] != currency:
            raise PayPalRefusal(422, "REFUND_CAPTURE_CURRENCY_MISMATCH")
        amount = Decimal(wanted["value"])
        if amount > left:
            raise PayPalRefusal(422, "REFUND_AMOUNT_EXCEEDED")
        _refuse_second_invoice_of_refund(provider, body.get("invoice_id"))
        made = {
            "id": paypal_shapes.new_id(),
            "object": REFUND,
            "payment_intent": captured["order_id"],
            "charge": capture_id,
            "created": provider.now(),
            "updated": provider.now(),
            "capture_id": capture_id,
            "status": "COMPLETED",
            "reason": None,
            "amount": paypal_shapes.money(amount, currency),
            "invoice_id": body.get("invoice_id", captured["invoice_id"]),
            "custom_id": body.get("custom_id", captured["custom_id"]),
            "note_to_payer": body.get("note_to_payer"),
            "is_reversal": is_reversal,
            "refunded_so_far": paypal_shapes.money(
                _refunded(provider, captured) + amount, currency
            ),
        }
        provider.store.insert(made, label=made["status"])
        _mark_refunded(provider, captured)
        publish(
            provider,
            f"PAYMENT.CAPTURE.{'REVERSED' if is_reversal else 'REFUNDED'}",
            "refund",
            paypal_shapes.refund(made, base=provider.public_url),
            plan=plan,
        )
        return made


def fail_refund(provider: Provider, refund_id: str) -> Document:
    """Let a refund fail after the fact; PayPal sends no event for it."""
    with provider.store.transaction():
        kept = get_refund(provider, refund_id)
        kept.update(status="FAILED", reason="ECHECK")
        _update(provider, kept)
        _mark_refunded(provider, get_capture(provider, kept["capture_id"]))
        return kept


def _refunded(provider: Provider, captured: Document) -> Decimal:
    made = provider.store.list_documents(
        REFUND, [Condition("charge", "=", captured["id"])], limit=1000
    )
    return sum(
        (Decimal(each["amount"]["value"]) for each in made if each["status"] != "FAILED"),
        Decimal(0),
    )


def _mark_refunded(provider: Provider, captured: Document) -> None:
    gone = _refunded(provider, captured)
    is_all = gone == Decimal(captured["amount"]["value"])
    captured["status"] = "REFUNDED" if is_all else "PARTIALLY_REFUNDED" if gone else "COMPLETED"
    _update(provider, captured)


def _tell_of_capture(provider: Provider, captured: Document, event_type: str) -> None:
    order = provider.store.get(ORDER, captured["order_id"])
    assert order is not None
    plan = WebhookPlan(order["plan"], order["delay"])
    resource = paypal_shapes.capture(captured, base=provider.public_url)
    publish(provider, event_type, "capture", resource, plan=plan)


def _refuse_second_invoice(provider: Provider, kept: Document) -> None:
    """Refuse an invoice that was paid by another order, as PayPal's accounts do by default."""
    invoice = kept["unit"].get("invoice_id")
    if invoice and provider.store.list_documents(
        CAPTURE, [Condition("charge", "=", invoice)], limit=1
    ):
        raise PayPalRefusal(422, "DUPLICATE_INVOICE_ID")


def _refuse_second_invoice_of_refund(provider: Provider, invoice: str | None) -> None:
    made = provider.store.list_documents(REFUND, [], limit=10_000) if invoice else []
    if any(each["invoice_id"] == invoice for each in made):
        raise PayPalRefusal(
            422, "DUPLICATE_INVOICE_ID", "Invoice ID was previously used to refund a capture."
        )


def _of_order(provider: Provider, kind: str, order_id: str) -> list[Document]:
    return provider.store.list_documents(
        kind, [Condition("payment_intent", "=", order_id)], limit=1000, oldest_first=True
    )


def _get(provider: Provider, kind: str, object_id: str) -> Document:
    kept = provider.store.get(kind, object_id)
    if kept is None:
        raise PayPalRefusal(404, "INVALID_RESOURCE_ID")
    return kept


def _is_over(provider: Provider, kept: Document) -> bool:
    if kept["status"] == "COMPLETED":
        return False
    return bool(kept["is_gone"]) or kept["created"] + LIFE_SECONDS <= provider.now()


def _update(provider: Provider, kept: Document) -> None:
    kept["updated"] = provider.now()
    provider.store.update(kept, label=kept["status"])
