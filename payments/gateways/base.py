"""What the shop asks of a payment provider, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from shop.money import Money


class ProviderStatus(Enum):
    OPEN = "open"
    APPROVED = "approved"
    """The shopper agreed; nothing is taken until we capture it."""
    AUTHORISED = "authorised"
    """The amount is set aside for us, for some days; nothing is taken until we ask for it."""
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class PaymentItem:
    """A line of the provider's page; amounts are what the shopper pays, tax included."""

    name: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """Everything a provider's page needs. `reference` is ours and the root of idempotency keys."""

    reference: str
    amount: Money
    items: tuple[PaymentItem, ...]
    email: str
    language: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    capture_later: bool = False
    customer_id: str = ""


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A page that was opened; without an address, the order's own page says how to pay."""

    session_id: str
    redirect_url: str


@dataclass(frozen=True, slots=True)
class ProviderState:
    """The provider's truth about an attempt; `captured` is what it really took.

    `authorised` is what it set aside, until about `authorised_until` where it says so.
    """

    status: ProviderStatus
    payment_id: str = ""
    charge_id: str = ""
    captured: Money | None = None
    redirect_url: str = ""
    failure: str = ""
    authorised: Money | None = None
    authorised_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class VerifiedEvent:
    """A webhook whose signature held.

    `session_id`, `payment_id`, `charge_id` and `reference` tell which attempt it means, `refund_id`
    and `refund_key` which refund, `dispute_id` which dispute. `is_about_refunds` says that money of
    the attempt went back, without telling in which refund; `ignored` why nothing is to be done.
    """

    event_id: str
    type: str
    payload: Mapping[str, Any]
    session_id: str = ""
    payment_id: str = ""
    reference: str = ""
    refund_id: str = ""
    refund_key: str = ""
    charge_id: str = ""
    dispute_id: str = ""
    is_about_refunds: bool = False
    ignored: str = ""


@dataclass(frozen=True, slots=True)
class RefundResult:
    """How a refund stands: settled, failed with a reason, or neither yet."""

    refund_id: str
    is_settled: bool
    failure: str = ""


class Gateway(Protocol):
    """One provider. No method may be called while a transaction is open.

    Each raises `ProviderUnavailable` when the outcome is unknown (repeat it with the same
    reference), `ProviderRefused` when the answer is a clear no, and of these `UnknownAtProvider`
    when there is nothing by that id.
    """

    name: str

    def start(self, request: PaymentRequest) -> StartedSession: ...

    def fetch(self, *, session_id: str) -> ProviderState: ...

    def capture(self, *, session_id: str, key: str) -> ProviderState:
        """Take what was approved, once per `key`. Only called for an `APPROVED` session."""
        ...

    def expire(self, *, session_id: str) -> ProviderState: ...

    def refund(self, *, payment_id: str, amount: Money, key: str) -> RefundResult: ...

    def find_refund(self, *, payment_id: str, key: str) -> RefundResult | None: ...

    def fetch_refund(self, *, refund_id: str) -> RefundResult: ...

    def verify_event(self, *, body: bytes, headers: Mapping[str, str]) -> VerifiedEvent:
        """Raise `ForgedEvent` unless the provider sent this, by the headers it came with."""
        ...


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A card that the provider keeps for somebody; its number is nowhere with us."""

    card_id: str
    brand: str
    last_four: str
    expires_month: int
    expires_year: int


class CardKeeper(Protocol):
    """A provider that keeps cards for people who come back. It raises as a `Gateway` does."""

    def create_customer(self, *, email: str, key: str) -> str:
        """Let the provider know somebody, once per `key`; return their number there."""
        ...

    def list_cards(self, *, customer_id: str) -> list[SavedCard]: ...

    def remove_card(self, *, card_id: str) -> None: ...

    def remove_customer(self, *, customer_id: str) -> None:
        """Have the provider forget somebody, with their cards. Raises `UnknownAtProvider`."""
        ...


class HoldingGateway(Protocol):
    """A provider that can set an amount aside now and take it later. It raises as a `Gateway` does.

    Neither call says how the payment stands afterwards: `Gateway.fetch` does.
    """

    def take(self, *, payment_id: str, amount: Money, key: str) -> None:
        """Take what was set aside, or less; the provider lets go of the rest. Once per `key`."""
        ...

    def release(self, *, payment_id: str, key: str) -> None:
        """Let go of all that was set aside."""
        ...
