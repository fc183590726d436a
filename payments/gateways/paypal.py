"""PayPal by Orders v2: the shopper approves on PayPal's page, then we take the money.

Between the approval and the capture nothing is charged, and only we capture: an order that was
given up can still be approved at PayPal, but never costs the shopper anything. PayPal has no call
that closes such an order; it runs out by itself after some hours and is unknown from then on.

Sources: PayPal's API reference (Orders v2, Payments v2, Webhooks), "Idempotency".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

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
from payments.gateways.event_body import read_body
from payments.gateways.paypal_amounts import from_paypal, to_paypal
from payments.gateways.paypal_client import Document, PayPalClient, PayPalRefused
from payments.gateways.paypal_documents import (
    capture_path,
    custom_id_of,
    id_of,
    link_of,
    order_of,
    order_path,
    payments_of,
    refund_path,
    result_of,
)
from payments.gateways.paypal_events import event_of
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
        page = link_of(order, *PAGE_LINKS) or request.success_url
        return StartedSession(session_id=id_of(order), redirect_url=page)

    def fetch(self, *, session_id: str) -> ProviderState:
        """Read an order with its captures. `APPROVED` waits for `capture`, and may be left so."""
        order = self._client.get(order_path(session_id), doing="reading a payment")
        return _state_of(order)

    def capture(self, *, session_id: str, key: str) -> ProviderState:
        """Take the money of an approved order; `key` makes repeating it harmless.

        A bank's refusal is a `FAILED` state. Raises `ProviderRefused` for any other clear no:
        nothing was taken, and staff must look.
        """
        try:
            order = self._client.post(
                f"{order_path(session_id)}/capture",
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
                f"{capture_path(payment_id)}/refund",
                {
                    "amount": to_paypal(amount),
                    "invoice_id": key,
                    "custom_id": custom_id_of(key),
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
        return result_of(refund)

    def find_refund(self, *, payment_id: str, key: str) -> RefundResult | None:
        """Look for a refund that was made under `key`: the order lists those of its captures."""
        refunds = self.list_refunds(payment_id)
        made = (each for each in refunds if each.get("invoice_id") == key)
        return next(map(result_of, made), None)

    def list_refunds(self, payment_id: str) -> list[Document]:
        """Return every refund of a capture, as PayPal writes it."""
        doing = "looking for a refund"
        capture = self._client.get(capture_path(payment_id), doing=doing)
        order_id = order_of(capture)
        if not order_id:
            raise ProviderUnavailable("PayPal does not say to which order the capture belongs")
        order = self._client.get(order_path(order_id), doing=doing)
        return payments_of(order, "refunds")

    def fetch_refund(self, *, refund_id: str) -> RefundResult:
        """Read how a refund stands."""
        return result_of(self._client.get(refund_path(refund_id), doing="reading a refund"))

    def verify_event(self, *, body: bytes, headers: Mapping[str, str]) -> VerifiedEvent:
        """Check a webhook's signature by PayPal's certificate, which may have to be fetched.

        Raises `ProviderUnavailable` where that cannot be done now.
        """
        if not settings.PAYPAL_IS_ON:
            raise ForgedEvent("this shop does not use PayPal")
        paypal_signatures.verify(body=body, headers=headers, webhook_id=settings.PAYPAL_WEBHOOK_ID)
        return event_of(read_body(body))

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
    captures = payments_of(order, "captures")
    taken = [each for each in captures if each.get("status") in TAKEN]
    if taken:
        amounts = [from_paypal(each["amount"]) for each in taken]
        return ProviderState(
            ProviderStatus.PAID,
            payment_id=id_of(taken[0]),
            charge_id=id_of(taken[0]),
            captured=total(amounts, amounts[0].currency),
        )
    last = captures[-1] if captures else {}
    if last.get("status") in NOT_TAKEN:
        details = last.get("status_details") or {}
        failure = str(details.get("reason") or last["status"])
        return ProviderState(ProviderStatus.FAILED, payment_id=id_of(last), failure=failure)
    if captures:
        return ProviderState(ProviderStatus.PROCESSING, payment_id=id_of(last))
    if status == "VOIDED":
        return ProviderState(ProviderStatus.EXPIRED)
    if status == "APPROVED":
        return ProviderState(ProviderStatus.APPROVED)
    if status in ("CREATED", "SAVED", "PAYER_ACTION_REQUIRED"):
        return ProviderState(ProviderStatus.OPEN, redirect_url=link_of(order, *PAGE_LINKS))
    raise ProviderUnavailable(f"PayPal says {status!r} of an order, without a payment")
