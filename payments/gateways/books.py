"""A provider's own books: what it lists, and what it says of one thing when it is asked by number.

Apart from the gateway because not every provider keeps books that can be read: an offline method
has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from django.conf import settings

from payments.gateways.base import RefundResult, VerifiedEvent
from shop.money import Money


class DisputeState(Enum):
    """Named as `Dispute.Status` names them."""

    INQUIRY = "inquiry"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ProviderCharge:
    """Money that was taken. `reference` is ours, where the provider repeats it.

    `fee` is what the provider kept of it, where its list says so.
    """

    charge_id: str
    payment_id: str
    reference: str
    captured: Money
    created_at: datetime
    fee: Money | None = None


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """Money that goes back. `key` is ours when the refund began with us, else empty.

    `dispute_id` names the dispute for which it went back: there it is booked, and not as a refund.
    """

    refund_id: str
    charge_id: str
    payment_id: str
    reference: str
    key: str
    amount: Money
    reason: str
    result: RefundResult
    created_at: datetime
    is_release: bool = False
    """The provider let go of what it had only set aside: no money was taken, none goes back."""
    dispute_id: str = ""


@dataclass(frozen=True, slots=True)
class DisputeMovement:
    """Money that the bank took back because of a dispute, or gave back after it.

    `fee` is what the provider charged on top, below zero where it takes an earlier fee back; its
    currency is that of the shop's account there, which may be another one.
    """

    movement_id: str
    is_withdrawal: bool
    amount: Money
    fee: Money | None = None


@dataclass(frozen=True, slots=True)
class ProviderDispute:
    dispute_id: str
    charge_id: str
    payment_id: str
    reference: str
    amount: Money
    reason: str
    state: DisputeState
    due_by: datetime | None
    created_at: datetime
    movements: tuple[DisputeMovement, ...] = ()


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, the newest first; `after` asks for the next page and is empty at the end."""

    events: tuple[VerifiedEvent, ...]
    after: str


class Books(Protocol):
    """The books of one provider. No method may be called while a transaction is open.

    They raise what a `Gateway` raises. Each `list_…` gives what was made from `since` up to, not
    including, `until`, a page at a time: the next page is fetched when it is asked for. What
    happened within the last `lag` may be missing there.
    """

    lag: timedelta

    def fetch_charge(self, charge_id: str) -> ProviderCharge | None:
        """Return a charge, or None when it took no money."""

    def fetch_refund(self, refund_id: str) -> ProviderRefund: ...

    def fetch_dispute(self, dispute_id: str) -> ProviderDispute: ...

    def find_session(self, payment_id: str) -> str:
        """Return the page on which a payment was made, or nothing."""

    def list_refunds_of(self, payment_id: str) -> list[ProviderRefund]:
        """Return the refunds of a payment; like `list_refunds`, without releases."""
        ...

    def list_charges(self, since: datetime, until: datetime) -> Iterator[list[ProviderCharge]]: ...

    def list_refunds(self, since: datetime, until: datetime) -> Iterator[list[ProviderRefund]]: ...

    def list_disputes(
        self, since: datetime, until: datetime
    ) -> Iterator[list[ProviderDispute]]: ...

    def list_undelivered_events(self, since: datetime, *, after: str = "") -> EventPage:
        """Return a page of the events that were told to nobody; `after` as the last page said.

        A provider that does not tell them apart lists those that were told, too.
        """


def get_books(provider: str) -> Books | None:
    """Return the books of a provider, or None when it keeps none that we can read."""
    if provider == "stripe" and settings.STRIPE_SECRET_KEY:
        from payments.gateways.stripe_books import StripeBooks

        return StripeBooks()
    if provider == "paypal" and settings.PAYPAL_IS_ON:
        from payments.gateways.paypal_books import PayPalBooks

        return PayPalBooks()
    return None


def list_providers_with_books() -> list[str]:
    """Name the providers that are set up and whose books can be read."""
    return [name for name in ("stripe", "paypal") if get_books(name) is not None]
