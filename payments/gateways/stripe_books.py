"""Stripe's books: charges, refunds, disputes and events as it lists them.

Sources: Stripe's API reference (charges, refunds, disputes, "List all events", pagination) and
"How disputes work" (statuses; the money of an inquiry stays with the shop).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from payments.errors import ForgedEvent
from payments.gateways import get_gateway
from payments.gateways.base import VerifiedEvent
from payments.gateways.books import (
    DisputeMovement,
    DisputeState,
    EventPage,
    ProviderCharge,
    ProviderDispute,
    ProviderRefund,
)
from payments.gateways.stripe import StripeGateway, _id_of, _result_of, _translated_errors, _word_of
from payments.gateways.stripe_amounts import from_stripe
from payments.gateways.stripe_events import RELEVANT_TYPES, event_of
from shop.money import Money

logger = logging.getLogger(__name__)

PAGE = 100
WITH_PAYMENT = ["payment_intent"]
STATES = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.CLOSED,
    "needs_response": DisputeState.NEEDS_RESPONSE,
    "under_review": DisputeState.UNDER_REVIEW,
    "appeal_needs_response": DisputeState.LOST,
    "appeal_under_review": DisputeState.LOST,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
    "prevented": DisputeState.CLOSED,
}
"""While an appeal runs the bank keeps the money, so the dispute counts as lost until it is won."""


RELEASES = ("expired_uncaptured_charge", "partial_capture")
"""Why Stripe itself writes a refund of money that was authorised and never taken."""


class StripeBooks:
    lag = timedelta(0)

    def __init__(self) -> None:
        self._client = cast(StripeGateway, get_gateway("stripe"))._client

    def fetch_charge(self, charge_id: str) -> ProviderCharge | None:
        with _translated_errors("reading a charge"):
            charge = self._client.v1.charges.retrieve(charge_id)
        return _charge_of(charge)

    def fetch_refund(self, refund_id: str) -> ProviderRefund:
        with _translated_errors("reading a refund"):
            refund = self._client.v1.refunds.retrieve(refund_id, params={"expand": WITH_PAYMENT})
        return _refund_of(refund)

    def fetch_dispute(self, dispute_id: str) -> ProviderDispute:
        with _translated_errors("reading a dispute"):
            dispute = self._client.v1.disputes.retrieve(dispute_id, params={"expand": WITH_PAYMENT})
        return _dispute_of(dispute)

    def find_session(self, payment_id: str) -> str:
        with _translated_errors("looking for a payment's page"):
            found = self._client.v1.checkout.sessions.list(
                params={"payment_intent": payment_id, "limit": 1}
            )
        return found.data[0].id if found.data else ""

    def list_refunds_of(self, payment_id: str) -> list[ProviderRefund]:
        pages = self._pages(self._client.v1.refunds.list, {"payment_intent": payment_id})
        return [each for page in pages for each in _refunds_of(page)]

    def list_charges(self, since: datetime, until: datetime) -> Iterator[list[ProviderCharge]]:
        for page in self._pages(self._client.v1.charges.list, _made_between(since, until)):
            yield [charge for each in page if (charge := _charge_of(each)) is not None]

    def list_refunds(self, since: datetime, until: datetime) -> Iterator[list[ProviderRefund]]:
        for page in self._pages(self._client.v1.refunds.list, _made_between(since, until)):
            yield _refunds_of(page)

    def list_disputes(self, since: datetime, until: datetime) -> Iterator[list[ProviderDispute]]:
        for page in self._pages(self._client.v1.disputes.list, _made_between(since, until)):
            yield [_dispute_of(dispute) for dispute in page]

    def list_undelivered_events(self, since: datetime, *, after: str = "") -> EventPage:
        parameters: dict[str, Any] = {
            "created": {"gte": math.floor(since.timestamp())},
            "delivery_success": False,
            "types": list(RELEVANT_TYPES),
            "limit": PAGE,
        }
        if after:
            parameters["starting_after"] = after
        with _translated_errors("listing events"):
            found = self._client.v1.events.list(params=cast(Any, parameters))
        read = (_event_of(each) for each in found.data)
        return EventPage(
            events=tuple(event for event in read if event is not None),
            after=found.data[-1].id if found.has_more and found.data else "",
        )

    def _pages(self, list_them: Callable[..., Any], parameters: dict[str, Any]) -> Iterator[Any]:
        after: dict[str, str] = {}
        while True:
            with _translated_errors("listing what the provider did"):
                found = list_them(params={**parameters, "limit": PAGE, **after})
            yield found.data
            if not (found.has_more and found.data):
                return
            after = {"starting_after": found.data[-1].id}


def _made_between(since: datetime, until: datetime) -> dict[str, Any]:
    return {"created": {"gte": math.floor(since.timestamp()), "lt": math.ceil(until.timestamp())}}


def _charge_of(charge: Any) -> ProviderCharge | None:
    if charge.status != "succeeded" or not charge.amount_captured:
        return None
    return ProviderCharge(
        charge_id=charge.id,
        payment_id=_id_of(charge.payment_intent),
        reference=_word_of(charge, "reference"),
        captured=from_stripe(charge.amount_captured, charge.currency.upper()),
        created_at=_moment(charge.created),
    )


def _refunds_of(page: Any) -> list[ProviderRefund]:
    return [found for each in page if not (found := _refund_of(each)).is_release]


def _refund_of(refund: Any) -> ProviderRefund:
    return ProviderRefund(
        refund_id=refund.id,
        charge_id=_id_of(refund.charge),
        payment_id=_id_of(refund.payment_intent),
        reference=_reference_of(refund.payment_intent),
        key=_word_of(refund, "key"),
        amount=from_stripe(refund.amount, refund.currency.upper()),
        reason=str(refund.reason or ""),
        result=_result_of(refund),
        created_at=_moment(refund.created),
        is_release=refund.reason in RELEASES,
    )


def _dispute_of(dispute: Any) -> ProviderDispute:
    amount = from_stripe(dispute.amount, dispute.currency.upper())
    due_by = dispute.evidence_details.due_by
    return ProviderDispute(
        dispute_id=dispute.id,
        charge_id=_id_of(dispute.charge),
        payment_id=_id_of(dispute.payment_intent),
        reference=_reference_of(dispute.payment_intent),
        amount=amount,
        reason=str(dispute.reason or ""),
        state=STATES.get(dispute.status, DisputeState.UNDER_REVIEW),
        due_by=_moment(due_by) if due_by else None,
        created_at=_moment(dispute.created),
        movements=tuple(
            _movement_of(each, amount) for each in dispute.balance_transactions if each.amount
        ),
    )


def _movement_of(transaction: Any, disputed: Money) -> DisputeMovement:
    """Read a movement; one booked in another currency moved the disputed amount."""
    is_same_currency = transaction.currency.upper() == disputed.currency
    return DisputeMovement(
        movement_id=transaction.id,
        is_withdrawal=transaction.amount < 0,
        amount=from_stripe(abs(transaction.amount), disputed.currency)
        if is_same_currency
        else disputed,
        fee=from_stripe(transaction.fee, transaction.currency.upper()) if transaction.fee else None,
    )


def _event_of(event: Any) -> VerifiedEvent | None:
    try:
        return event_of(event.to_dict())
    except ForgedEvent as error:
        logger.warning("the provider lists an event that cannot be read (%s): %s", event.id, error)
        return None


def _reference_of(payment: Any) -> str:
    is_expanded = payment is not None and not isinstance(payment, str)
    return _word_of(payment, "reference") if is_expanded else ""


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
