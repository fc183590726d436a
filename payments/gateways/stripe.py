"""Stripe by Checkout Session: the shopper pays on Stripe's page, we never see a card.

Sources: Stripe's API reference (checkout sessions, refunds), "Idempotent requests", and "Fulfill
orders" (the webhook and the return page lead to one function that reads the session again).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import stripe
from django.conf import settings
from django.utils.translation import gettext as _

from payments.errors import (
    ForgedEvent,
    ProviderRefused,
    ProviderUnavailable,
    UnknownAtProvider,
)
from payments.gateways.base import (
    PaymentRequest,
    ProviderState,
    ProviderStatus,
    RefundResult,
    SavedCard,
    StartedSession,
    VerifiedEvent,
)
from payments.gateways.breaker import breaker_of
from payments.gateways.stripe_amounts import from_stripe, to_stripe
from payments.gateways.stripe_events import read_event
from shop.money import Money
from shop.transactions import assert_no_transaction

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 1.0
READ_SECONDS = 8.0
EXPAND = ["payment_intent", "payment_intent.latest_charge"]
LOCALES = {"en": "en", "de": "de"}
NO_SUCH_OBJECT = "resource_missing"
TOO_MANY = 429
REFUSED_LATER = ("requires_payment_method", "canceled")
"""How a payment stands whose bank refused it after the shopper was through."""


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
        """Create the session; repeating it with the same request gives the same session.

        For a customer the page shows their saved cards, and asks whether to save another.
        """
        parameters: SessionCreateParams = {
            "mode": "payment",
            "client_reference_id": request.reference,
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
        }
        if request.capture_later:
            parameters["payment_intent_data"]["capture_method"] = "manual"
        if request.customer_id:
            parameters["customer"] = request.customer_id
            parameters["saved_payment_method_options"] = {"payment_method_save": "enabled"}
        else:
            parameters["customer_email"] = request.email
        with _translated_errors("starting a payment"):
            session = self._client.v1.checkout.sessions.create(
                params=parameters, options={"idempotency_key": _session_key(request)}
            )
        return StartedSession(session_id=session.id, redirect_url=session.url or "")

    def fetch(self, *, session_id: str) -> ProviderState:
        """Read a session with its payment and charge."""
        with _translated_errors("reading a payment"):
            session = self._client.v1.checkout.sessions.retrieve(
                session_id, params={"expand": EXPAND}
            )
        return _state_of(session)

    def capture(self, *, session_id: str, key: str) -> ProviderState:
        """Read the session: Stripe takes the money by itself once the shopper agrees."""
        return self.fetch(session_id=session_id)

    def take(self, *, payment_id: str, amount: Money, key: str) -> None:
        """Capture an authorised payment, or a part of it, for good: Stripe releases the rest."""
        with _translated_errors("capturing a payment"):
            self._client.v1.payment_intents.capture(
                payment_id,
                params={"amount_to_capture": to_stripe(amount)},
                options={"idempotency_key": key},
            )

    def release(self, *, payment_id: str, key: str) -> None:
        """Cancel an authorised payment, so that the card's bank lets go of the money."""
        with _translated_errors("releasing a payment"):
            self._client.v1.payment_intents.cancel(
                payment_id,
                params={"cancellation_reason": "requested_by_customer"},
                options={"idempotency_key": key},
            )

    def create_customer(self, *, email: str, key: str) -> str:
        with _translated_errors("making a customer"):
            customer = self._client.v1.customers.create(
                params={"email": email, "metadata": {"key": key}},
                options={"idempotency_key": key},
            )
        return customer.id

    def list_cards(self, *, customer_id: str) -> list[SavedCard]:
        with _translated_errors("listing saved cards"):
            found = self._client.v1.payment_methods.list(
                params={"customer": customer_id, "type": "card", "limit": 100}
            )
        return [
            SavedCard(each.id, card.brand, card.last4, card.exp_month, card.exp_year)
            for each in found.data
            if (card := each.card) is not None
        ]

    def remove_card(self, *, card_id: str) -> None:
        """Detach a card from its customer: it cannot be used again."""
        with _translated_errors("removing a saved card"):
            self._client.v1.payment_methods.detach(card_id)

    def remove_customer(self, *, customer_id: str) -> None:
        """Delete a customer for good, with their cards; what they paid stays."""
        with _translated_errors("deleting a customer"):
            self._client.v1.customers.delete(customer_id)

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
        return _result_of(refund)

    def find_refund(self, *, payment_id: str, key: str) -> RefundResult | None:
        """Look for a refund that was made under `key`, once the key itself may be forgotten."""
        with _translated_errors("looking for a refund"):
            found = self._client.v1.refunds.list(
                params={"payment_intent": payment_id, "limit": 100}
            )
        made = (each for each in found.data if _word_of(each, "key") == key)
        return next(map(_result_of, made), None)

    def fetch_refund(self, *, refund_id: str) -> RefundResult:
        """Read how a refund stands; one that went through may fail days later."""
        with _translated_errors("reading a refund"):
            refund = self._client.v1.refunds.retrieve(refund_id)
        return _result_of(refund)

    def verify_event(self, *, body: bytes, headers: Mapping[str, str]) -> VerifiedEvent:
        """Check a webhook's signature and age (five minutes); two secrets may be live at once."""
        signature = headers.get("Stripe-Signature", "")
        for secret in settings.STRIPE_WEBHOOK_SECRETS:
            try:
                stripe.WebhookSignature.verify_header(
                    body.decode(), signature, secret, stripe.Webhook.DEFAULT_TOLERANCE
                )
            except (stripe.SignatureVerificationError, TypeError, ValueError):
                continue
            return read_event(body)
        raise ForgedEvent("the signature does not fit")


def _session_key(request: PaymentRequest) -> str:
    """Return the key of a session; without a customer who is gone it is another question."""
    key = f"{request.reference}:session"
    return f"{key}:{request.customer_id}" if request.customer_id else key


def _state_of(session: Any) -> ProviderState:
    intent = session.payment_intent if not isinstance(session.payment_intent, str) else None
    payment_id = _id_of(session.payment_intent)
    if intent is not None and intent.capture_method == "manual" and session.status == "complete":
        return _state_of_held(intent)
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
    if session.status == "complete" and intent is not None and intent.status in REFUSED_LATER:
        return ProviderState(
            ProviderStatus.FAILED, payment_id=payment_id, failure=_failure_of(intent)
        )
    if session.status == "complete":
        return ProviderState(ProviderStatus.PROCESSING, payment_id=payment_id)
    return ProviderState(ProviderStatus.OPEN, payment_id=payment_id, redirect_url=session.url or "")


def _state_of_held(intent: Any) -> ProviderState:
    """Read a payment that is taken later: its session does not tell when."""
    charge_id = _id_of(intent.latest_charge)
    currency = intent.currency.upper()
    if intent.status == "requires_capture":
        return ProviderState(
            ProviderStatus.AUTHORISED,
            payment_id=intent.id,
            charge_id=charge_id,
            authorised=from_stripe(intent.amount_capturable, currency),
            authorised_until=_capture_before(intent.latest_charge),
        )
    if intent.status == "succeeded":
        return ProviderState(
            ProviderStatus.PAID,
            payment_id=intent.id,
            charge_id=charge_id,
            captured=from_stripe(intent.amount_received, currency),
        )
    if intent.status in REFUSED_LATER:
        return ProviderState(
            ProviderStatus.FAILED, payment_id=intent.id, failure=_failure_of(intent)
        )
    return ProviderState(ProviderStatus.PROCESSING, payment_id=intent.id)


def _capture_before(charge: Any) -> datetime | None:
    """Read until when a card's bank keeps the money aside; not every charge says so."""
    if charge is None or isinstance(charge, str):
        return None
    card = getattr(charge.payment_method_details, "card", None)
    until = getattr(card, "capture_before", None)
    return datetime.fromtimestamp(until, tz=UTC) if until else None


def _failure_of(intent: Any) -> str:
    error = getattr(intent, "last_payment_error", None)
    return str(error.code or error.type) if error else str(intent.status)


def _word_of(subject: Any, name: str) -> str:
    words = subject.metadata
    return str(words[name]) if words is not None and name in words else ""


def _result_of(refund: Any) -> RefundResult:
    has_failed = refund.status in ("failed", "canceled")
    return RefundResult(
        refund_id=refund.id,
        is_settled=refund.status == "succeeded",
        failure=str(getattr(refund, "failure_reason", None) or refund.status) if has_failed else "",
    )


def _id_of(value: Any) -> str:
    """Read an id that Stripe gives bare or inside an expanded object."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return str(value["id"])


@contextmanager
def _translated_errors(doing: str) -> Iterator[None]:
    """Turn the SDK's errors into ours, and make sure that no row is locked meanwhile.

    A key that Stripe does not take is a fault of ours, not its word about the payment: unknown.
    Raises `ProviderUnavailable` at once while Stripe's breaker is open.
    """
    assert_no_transaction(doing)
    with breaker_of("stripe").watch() as call, _in_our_words(doing):
        try:
            yield
        except stripe.StripeError as error:
            if 400 <= (error.http_status or 0) < 500 and error.http_status != TOO_MANY:
                call.answered()
            raise


@contextmanager
def _in_our_words(doing: str) -> Iterator[None]:
    try:
        yield
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        reason = ": ".join(filter(None, (error.code, error.user_message))) or type(error).__name__
        logger.warning("%s: Stripe refused (%s): %s", doing, error.request_id, reason)
        refusal = UnknownAtProvider if error.code == NO_SUCH_OBJECT else ProviderRefused
        raise refusal(
            _("The payment provider refused this payment. Nothing was charged; please tell us."),
            reason=reason,
        ) from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        logger.error("%s: Stripe does not take our key: %s", doing, error)
        raise ProviderUnavailable(
            _("The payment provider does not answer. Nothing was charged; please try again.")
        ) from error
    except stripe.StripeError as error:
        raise ProviderUnavailable(
            _("The payment provider does not answer. Nothing was charged; please try again.")
        ) from error
