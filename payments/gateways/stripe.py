"""Stripe by Checkout Session: the shopper pays on Stripe's page, we never see a card.

Sources: Stripe's API reference (checkout sessions, refunds), "Idempotent requests", and "Fulfill
orders" (the webhook and the return page lead to one function that reads the session again).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import stripe
from django.conf import settings
from django.utils.translation import gettext as _

from payments.errors import ForgedEvent, ProviderRefused, ProviderUnavailable
from payments.gateways.base import (
    PaymentRequest,
    ProviderState,
    ProviderStatus,
    RefundResult,
    StartedSession,
    VerifiedEvent,
)
from shop.money import Money, exponent
from shop.transactions import assert_no_transaction

CONNECT_SECONDS = 1.0
READ_SECONDS = 8.0
EXPAND = ["payment_intent", "payment_intent.latest_charge"]
LOCALES = {"en": "en", "de": "de"}
# Stripe, "Zero-decimal currencies" and "Special cases": where it departs from ISO 4217.
EXPONENTS = {"ISK": 2, "UGX": 2, "MGA": 0}


class StripeGateway:
    name = "stripe"

    def __init__(self) -> None:
        self._client = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            base_addresses={"api": settings.STRIPE_API_BASE},
            http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, READ_SECONDS)),
            max_network_retries=0,
        )

    def start(self, request: PaymentRequest) -> StartedSession:
        """Create the session; repeating it with the same request gives the same session."""
        with _translated_errors("starting a payment"):
            session = self._client.v1.checkout.sessions.create(
                params={
                    "mode": "payment",
                    "client_reference_id": request.reference,
                    "customer_email": request.email,
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": item.amount.currency.lower(),
                                "unit_amount": to_stripe(item.amount),
                                "product_data": {"name": item.name[:250]},
                            },
                        }
                        for item in request.items
                    ],
                    "metadata": {"reference": request.reference},
                    "payment_intent_data": {"metadata": {"reference": request.reference}},
                    "success_url": request.success_url,
                    "cancel_url": request.cancel_url,
                    "expires_at": math.floor(request.expires_at.timestamp()),
                    "locale": LOCALES.get(request.language, "auto"),
                },
                options={"idempotency_key": f"{request.reference}:session"},
            )
        return StartedSession(session_id=session.id, redirect_url=session.url or "")

    def fetch(self, *, session_id: str) -> ProviderState:
        """Read a session with its payment and charge."""
        with _translated_errors("reading a payment"):
            session = self._client.v1.checkout.sessions.retrieve(
                session_id, params={"expand": EXPAND}
            )
        return _state_of(session)

    def expire(self, *, session_id: str) -> ProviderState:
        """Close a session that is still open, then say how it ended; a paid one stays paid."""
        try:
            with _translated_errors("closing a payment"):
                self._client.v1.checkout.sessions.expire(session_id)
        except ProviderRefused:
            pass  # It is not open any more: the next read tells what became of it.
        return self.fetch(session_id=session_id)

    def refund(self, *, payment_id: str, amount: Money, key: str) -> RefundResult:
        """Send money back; `key` makes repeating it harmless."""
        with _translated_errors("refunding a payment"):
            refund = self._client.v1.refunds.create(
                params={
                    "payment_intent": payment_id,
                    "amount": to_stripe(amount),
                    "metadata": {"key": key},
                },
                options={"idempotency_key": key},
            )
        return RefundResult(
            refund_id=refund.id,
            is_settled=refund.status == "succeeded",
            failure=refund.failure_reason or "" if refund.status in ("failed", "canceled") else "",
        )

    def verify_event(self, *, body: bytes, signature: str) -> VerifiedEvent:
        """Check a webhook's signature and age (five minutes); two secrets may be live at once."""
        for secret in settings.STRIPE_WEBHOOK_SECRETS:
            try:
                stripe.WebhookSignature.verify_header(
                    body.decode(), signature, secret, stripe.Webhook.DEFAULT_TOLERANCE
                )
            except (stripe.SignatureVerificationError, TypeError, ValueError):
                continue
            return _event_of(body)
        raise ForgedEvent("the signature does not fit")


def to_stripe(money: Money) -> int:
    """Write an amount in the integer units that Stripe uses for its currency."""
    return int(money.amount.scaleb(EXPONENTS.get(money.currency, exponent(money.currency))))


def from_stripe(units: int, currency: str) -> Money:
    """Read an amount from Stripe's integer units."""
    return Money(Decimal(units).scaleb(-EXPONENTS.get(currency, exponent(currency))), currency)


def _event_of(body: bytes) -> VerifiedEvent:
    try:
        payload = json.loads(body)
        subject = payload["data"]["object"]
        event_id, event_type = str(payload["id"]), str(payload["type"])
    except (ValueError, KeyError, TypeError) as error:
        raise ForgedEvent("the body is no Stripe event") from error
    kind = subject.get("object", "")
    payment = subject.get("payment_intent") if kind != "payment_intent" else subject.get("id")
    return VerifiedEvent(
        event_id=event_id,
        type=event_type,
        payload=payload,
        session_id=subject.get("id", "") if kind == "checkout.session" else "",
        payment_id=_id_of(payment),
        reference=str((subject.get("metadata") or {}).get("reference", "")),
    )


def _state_of(session: Any) -> ProviderState:
    intent = session.payment_intent if not isinstance(session.payment_intent, str) else None
    payment_id = _id_of(session.payment_intent)
    if session.payment_status in ("paid", "no_payment_required"):
        taken = intent.amount_received if intent is not None else session.amount_total
        return ProviderState(
            ProviderStatus.PAID,
            payment_id=payment_id,
            charge_id=_id_of(intent.latest_charge) if intent is not None else payment_id,
            captured=from_stripe(taken, session.currency.upper()),
        )
    if session.status == "expired":
        return ProviderState(ProviderStatus.EXPIRED, payment_id=payment_id)
    if session.status == "complete":
        return ProviderState(ProviderStatus.PROCESSING, payment_id=payment_id)
    return ProviderState(ProviderStatus.OPEN, payment_id=payment_id, redirect_url=session.url or "")


def _id_of(value: Any) -> str:
    """Read an id that Stripe gives bare or inside an expanded object."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return str(value["id"])


@contextmanager
def _translated_errors(doing: str) -> Iterator[None]:
    """Turn the SDK's errors into ours, and make sure that no row is locked meanwhile."""
    assert_no_transaction(doing)
    try:
        yield
    except (
        stripe.InvalidRequestError,
        stripe.CardError,
        stripe.AuthenticationError,
        stripe.PermissionError,
    ) as error:
        raise ProviderRefused(
            _("The payment provider refused: %(reason)s")
            % {"reason": error.user_message or error.code or type(error).__name__}
        ) from error
    except stripe.StripeError as error:
        raise ProviderUnavailable(
            _("The payment provider does not answer. Nothing was charged; please try again.")
        ) from error
