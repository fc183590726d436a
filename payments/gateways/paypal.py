"""PayPal by Orders v2: the shopper approves on PayPal's page, then we take the money.

Between the approval and the capture nothing is charged, and only we capture: an order that was
given up can still be approved at PayPal, but never costs the shopper anything. PayPal has no call
that closes such an order; it runs out by itself after some hours and is unknown from then on.

Sources: PayPal's API reference (Orders v2, Payments v2, Webhooks), "Idempotency".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings

from payments.errors import ForgedEvent, ProviderUnavailable
from payments.gateways import paypal_signatures
from payments.gateways.base import (
    PaymentItem,
    PaymentRequest,
    ProviderState,
    ProviderStatus,
    RefundResult,
    StartedSession,
    VerifiedEvent,
)
from payments.gateways.event_body import is_name, make_storable, read_body
from payments.gateways.paypal_amounts import from_paypal, to_paypal
from payments.gateways.paypal_client import Document, PayPalClient, PayPalRefused
from shop.money import Money, total

CAPTURE_SECONDS: Final = 10.0
LONGEST_NAME = 127
LOCALES = {"en": "en-GB", "de": "de-DE"}
PAGE_LINKS = ("payer-action", "approve")
TAKEN = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
NOT_TAKEN = frozenset({"DECLINED", "FAILED"})
LOOK_AGAIN = frozenset({"ORDER_ALREADY_CAPTURED", "ORDER_ALREADY_COMPLETED", "ORDER_NOT_APPROVED"})
"""What became of the order is known once it is read again."""
SHOPPER_IS_ASKED = frozenset({"PAYER_ACTION_REQUIRED", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING"})
NOT_PAYABLE = frozenset(
    {
        *("INSTRUMENT_DECLINED", "TRANSACTION_REFUSED", "TRANSACTION_LIMIT_EXCEEDED"),
        *("PAYER_CANNOT_PAY", "PAYER_ACCOUNT_RESTRICTED", "PAYER_ACCOUNT_LOCKED_OR_CLOSED"),
        *("COMPLIANCE_VIOLATION", "PAYEE_BLOCKED_TRANSACTION", "TRANSACTION_BLOCKED_BY_PAYEE"),
        *("PAYMENT_SOURCE_DECLINED_BY_PROCESSOR", "ALIAS_DECLINED_BY_PROCESSOR"),
        *("MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", "ORDER_EXPIRED", "DOMESTIC_TRANSACTION_REQUIRED"),
    }
)  # fmt: skip
"""This order is not paid; the shopper may try again, with an attempt of its own."""
MADE_ALREADY = frozenset({"DUPLICATE_INVOICE_ID", "DUPLICATE_REQUEST_ID"})
NOT_FOR_CUSTOM_ID = re.compile(r"[^A-Za-z0-9_.,-]")
ORDER_OF_LINK = re.compile(r"/v2/checkout/orders/([A-Z0-9]+)")
CAPTURE_OF_LINK = re.compile(r"/v[12]/payments/captures?/([A-Z0-9]+)")
REFUND_OF_LINK = re.compile(r"/v[12]/payments/refunds?/([A-Z0-9]+)$")
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


class PayPalGateway:
    name = "paypal"

    def __init__(self) -> None:
        self._client = PayPalClient(
            base=settings.PAYPAL_API_BASE,
            client_id=settings.PAYPAL_CLIENT_ID,
            secret=settings.PAYPAL_CLIENT_SECRET,
        )

    def start(self, request: PaymentRequest) -> StartedSession:
        """Create the order; repeating it with the same request gives the same order."""
        order = self._client.post(
            "/v2/checkout/orders",
            _order_request(request),
            doing="starting a payment",
            request_id=f"{request.reference}:order",
        )
        # An order that is approved or paid already has no page: coming back shows how it stands.
        page = _link_of(order, *PAGE_LINKS) or request.success_url
        return StartedSession(session_id=_id_of(order), redirect_url=page)

    def fetch(self, *, session_id: str) -> ProviderState:
        """Read an order with its captures. `APPROVED` waits for `capture`, and may be left so."""
        order = self._client.get(_order_path(session_id), doing="reading a payment")
        return _state_of(order)

    def capture(self, *, session_id: str, key: str) -> ProviderState:
        """Take the money of an approved order; `key` makes repeating it harmless.

        A bank's refusal is a `FAILED` state. Raises `ProviderRefused` for any other clear no:
        nothing was taken, and staff must look.
        """
        try:
            order = self._client.post(
                f"{_order_path(session_id)}/capture",
                {},
                doing="taking a payment",
                request_id=f"{key}:capture",
                read_seconds=CAPTURE_SECONDS,
            )
        except PayPalRefused as refusal:
            if refusal.issue in NOT_PAYABLE:
                return ProviderState(ProviderStatus.FAILED, failure=refusal.reason)
            if refusal.issue in LOOK_AGAIN:
                return self.fetch(session_id=session_id)
            if refusal.issue in SHOPPER_IS_ASKED:
                return ProviderState(ProviderStatus.OPEN, failure=refusal.reason)
            raise
        return _state_of(order)

    def expire(self, *, session_id: str) -> ProviderState:
        """Say how an order stands that nobody is to pay any more; a paid one stays paid.

        PayPal closes none on request. What is not captured will not be: only we could.
        """
        state = self.fetch(session_id=session_id)
        if state.status in (ProviderStatus.OPEN, ProviderStatus.APPROVED):
            return ProviderState(ProviderStatus.EXPIRED)
        return state

    def refund(self, *, payment_id: str, amount: Money, key: str) -> RefundResult:
        """Send money of a capture back; `key` makes repeating it harmless."""
        try:
            refund = self._client.post(
                f"{_capture_path(payment_id)}/refund",
                {
                    "amount": to_paypal(amount),
                    "invoice_id": key,
                    "custom_id": NOT_FOR_CUSTOM_ID.sub(".", key),
                },
                doing="refunding a payment",
                request_id=key,
            )
        except PayPalRefused as refusal:
            if refusal.issue not in MADE_ALREADY:
                raise
            made = self.find_refund(payment_id=payment_id, key=key)
            if made is None:
                raise ProviderUnavailable(str(refusal)) from refusal
            return made
        return _result_of(refund)

    def find_refund(self, *, payment_id: str, key: str) -> RefundResult | None:
        """Look for a refund that was made under `key`: the order lists those of its captures."""
        refunds = self.list_refunds(payment_id)
        made = (each for each in refunds if each.get("invoice_id") == key)
        return next(map(_result_of, made), None)

    def list_refunds(self, payment_id: str) -> list[Document]:
        """Return every refund of a capture, as PayPal writes it."""
        doing = "looking for a refund"
        capture = self._client.get(_capture_path(payment_id), doing=doing)
        order_id = _order_of(capture)
        if not order_id:
            raise ProviderUnavailable("PayPal does not say to which order the capture belongs")
        order = self._client.get(_order_path(order_id), doing=doing)
        return _payments_of(order, "refunds")

    def fetch_refund(self, *, refund_id: str) -> RefundResult:
        """Read how a refund stands."""
        return _result_of(self._client.get(_refund_path(refund_id), doing="reading a refund"))

    def verify_event(self, *, body: bytes, headers: Mapping[str, str]) -> VerifiedEvent:
        """Check a webhook's signature by PayPal's certificate, which may have to be fetched.

        Raises `ProviderUnavailable` where that cannot be done now.
        """
        if not settings.PAYPAL_IS_ON:
            raise ForgedEvent("this shop does not use PayPal")
        paypal_signatures.verify(body=body, headers=headers, webhook_id=settings.PAYPAL_WEBHOOK_ID)
        return _event_of(read_body(body))

    def check_credentials(self) -> frozenset[str]:
        """Ask PayPal for a token; return its name for each thing that we may do.

        Raises `ProviderUnavailable`, `ProviderRefused`.
        """
        return self._client.check_credentials()


def _order_request(request: PaymentRequest) -> Document:
    return {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "reference_id": request.reference,
                "custom_id": request.reference,
                "invoice_id": request.reference,
                **_amount_of(request),
            }
        ],
        "payment_source": {
            "paypal": {
                "experience_context": {
                    "brand_name": settings.SHOP_NAME[:LONGEST_NAME],
                    "locale": LOCALES.get(request.language, "en-GB"),
                    "shipping_preference": "NO_SHIPPING",
                    "user_action": "PAY_NOW",
                    "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
                    "return_url": request.success_url,
                    "cancel_url": request.cancel_url,
                }
            }
        },
    }


def _amount_of(request: PaymentRequest) -> Document:
    """Write the amount, and what it is made of where that adds up: PayPal refuses it otherwise."""
    written = to_paypal(request.amount)
    currency = request.amount.currency
    items = [item for item in request.items if Decimal(0) < item.amount.amount]
    goods = total((item.amount for item in items), currency)
    off = -total((each.amount for each in request.items if each not in items), currency)
    if not items or goods - off != request.amount:
        return {"amount": written}
    breakdown = {"item_total": to_paypal(goods)}
    if off:
        breakdown["discount"] = to_paypal(off)
    return {
        "amount": {**written, "breakdown": breakdown},
        "items": [_item_of(item) for item in items],
    }


def _item_of(item: PaymentItem) -> Document:
    return {
        "name": item.name[:LONGEST_NAME] or "–",
        "quantity": "1",
        "unit_amount": to_paypal(item.amount),
    }


def _state_of(order: Document) -> ProviderState:
    status = order.get("status")
    captures = _payments_of(order, "captures")
    taken = [each for each in captures if each.get("status") in TAKEN]
    if taken:
        amounts = [from_paypal(each["amount"]) for each in taken]
        return ProviderState(
            ProviderStatus.PAID,
            payment_id=_id_of(taken[0]),
            charge_id=_id_of(taken[0]),
            captured=total(amounts, amounts[0].currency),
        )
    last = captures[-1] if captures else {}
    if last.get("status") in NOT_TAKEN:
        details = last.get("status_details") or {}
        failure = str(details.get("reason") or last["status"])
        return ProviderState(ProviderStatus.FAILED, payment_id=_id_of(last), failure=failure)
    if captures:
        return ProviderState(ProviderStatus.PROCESSING, payment_id=_id_of(last))
    if status == "VOIDED":
        return ProviderState(ProviderStatus.EXPIRED)
    if status == "APPROVED":
        return ProviderState(ProviderStatus.APPROVED)
    if status in ("CREATED", "SAVED", "PAYER_ACTION_REQUIRED"):
        return ProviderState(ProviderStatus.OPEN, redirect_url=_link_of(order, *PAGE_LINKS))
    raise ProviderUnavailable(f"PayPal says {status!r} of an order, without a payment")


def _result_of(refund: Document) -> RefundResult:
    status = str(refund.get("status", ""))
    has_failed = status in ("FAILED", "CANCELLED")
    details = refund.get("status_details") or {}
    return RefundResult(
        refund_id=_id_of(refund),
        is_settled=status == "COMPLETED",
        failure=str(details.get("reason") or status) if has_failed else "",
    )


def _event_of(payload: Any) -> VerifiedEvent:
    """Say which attempt, refund or dispute an event is about, or why about none.

    Raises `ForgedEvent` for what is no event.
    """
    payload = make_storable(payload)
    event_id, event_type = payload.get("id"), payload.get("event_type")
    subject, kind = payload.get("resource"), _word(payload, "resource_type")
    if not (is_name(event_id) and is_name(event_type) and isinstance(subject, dict)):
        raise ForgedEvent("the body is no PayPal event")
    if kind and kind not in CONCERNS_PAYMENTS:
        reason = f"about {kind[:60]}, which this shop does not use"
        return VerifiedEvent(event_id, event_type, payload, ignored=reason)
    return VerifiedEvent(event_id, event_type, payload, **_clues_in(event_type, kind, subject))


def _clues_in(event_type: str, kind: str, subject: Document) -> dict[str, Any]:
    """Read whose money an event is about. Its first version calls a refund a capture, too."""
    clues: dict[str, Any] = {}
    is_refund = kind == "refund" or bool(_id_in_link(subject, REFUND_OF_LINK, rel="self"))
    if kind == "checkout-order":
        unit = next(iter(_list_in(subject, "purchase_units")), {})
        clues = {"session_id": _word(subject, "id"), "reference": _word(unit, "custom_id")}
    elif kind == "capture" and not is_refund:
        clues = {
            "session_id": _order_of(subject),
            "payment_id": _word(subject, "id"),
            "reference": _word(subject, "custom_id"),
            "is_about_refunds": event_type in ABOUT_REFUNDS,
        }
    elif is_refund:
        clues = {
            "payment_id": _capture_of(subject),
            "refund_id": _word(subject, "id"),
            "refund_key": _word(subject, "invoice_id"),
        }
    elif kind == "dispute":
        disputed = next(iter(_list_in(subject, "disputed_transactions")), {})
        clues = {
            "dispute_id": _word(subject, "dispute_id"),
            "payment_id": _word(disputed, "seller_transaction_id"),
            "reference": _word(disputed, "custom"),
        }
    return {
        name: value if is_name(value) or isinstance(value, bool) else ""
        for name, value in clues.items()
    }


def _payments_of(order: Document, kind: str) -> list[Document]:
    units = _list_in(order, "purchase_units")
    return [each for unit in units for each in _list_in(unit.get("payments") or {}, kind)]


def _order_of(capture: Document) -> str:
    """Return the order that a capture belongs to, which PayPal says in one of two ways."""
    related = _member(_member(capture, "supplementary_data"), "related_ids")
    return _word(related, "order_id") or _id_in_link(capture, ORDER_OF_LINK)


def _capture_of(refund: Document) -> str:
    return _id_in_link(refund, CAPTURE_OF_LINK)


def _id_in_link(document: Document, pattern: re.Pattern[str], *, rel: str = "") -> str:
    links = (each for each in _list_in(document, "links") if rel in ("", each.get("rel")))
    addresses = (_word(link, "href") for link in links)
    found = (pattern.search(address) for address in addresses)
    return next((each[1] for each in found if each), "")


def _link_of(document: Document, *names: str) -> str:
    links = {_word(link, "rel"): _word(link, "href") for link in _list_in(document, "links")}
    return next((links[name] for name in names if links.get(name)), "")


def _list_in(document: Mapping[str, Any], name: str) -> list[Document]:
    found = document.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _member(document: Mapping[str, Any], name: str) -> Document:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _word(document: Mapping[str, Any], name: str) -> str:
    return str(document.get(name) or "")


def _id_of(document: Document) -> str:
    found = _word(document, "id")
    if not found:
        raise ProviderUnavailable("PayPal's answer names no id")
    return found


def _order_path(order_id: str) -> str:
    return f"/v2/checkout/orders/{quote(order_id, safe='')}"


def _capture_path(capture_id: str) -> str:
    return f"/v2/payments/captures/{quote(capture_id, safe='')}"


def _refund_path(refund_id: str) -> str:
    return f"/v2/payments/refunds/{quote(refund_id, safe='')}"
