"""Payment without a provider: a transfer to the shop's account, or money over the counter.

The provider's truth is what staff wrote down (`OfflineMovement`), so nothing waits for a network.
"""

from __future__ import annotations

from collections.abc import Mapping

from payments.errors import ForgedEvent
from payments.gateways.base import (
    PaymentRequest,
    ProviderState,
    ProviderStatus,
    RefundResult,
    StartedSession,
    VerifiedEvent,
)
from payments.models import OfflineMovement
from shop.money import Money
from shop.transactions import assert_no_transaction

RECEIVED, SENT = OfflineMovement.Kind.RECEIVED, OfflineMovement.Kind.SENT


class OfflineGateway:
    name = "offline"

    def start(self, request: PaymentRequest) -> StartedSession:
        """Open nothing: the order's own page says how to pay."""
        assert_no_transaction("starting a payment")
        return StartedSession(session_id=request.reference, redirect_url="")

    def fetch(self, *, session_id: str) -> ProviderState:
        """Say whether the money was written down, and how much it was."""
        assert_no_transaction("reading a payment")
        received = _find(RECEIVED, session_id)
        if received is None:
            return ProviderState(ProviderStatus.OPEN)
        return ProviderState(
            ProviderStatus.PAID,
            payment_id=session_id,
            charge_id=session_id,
            captured=Money(received.amount, received.currency),
        )

    def capture(self, *, session_id: str, key: str) -> ProviderState:
        """Take nothing: money that is written down is here already."""
        return self.fetch(session_id=session_id)

    def expire(self, *, session_id: str) -> ProviderState:
        """Stop waiting; money that is written down later still counts as paid."""
        state = self.fetch(session_id=session_id)
        if state.status is ProviderStatus.OPEN:
            return ProviderState(ProviderStatus.EXPIRED)
        return state

    def refund(self, *, payment_id: str, amount: Money, key: str) -> RefundResult:
        """Ask staff to send the money back: it is on its way until they say that they did."""
        return self.fetch_refund(refund_id=key)

    def find_refund(self, *, payment_id: str, key: str) -> RefundResult | None:
        result = self.fetch_refund(refund_id=key)
        return result if result.is_settled else None

    def fetch_refund(self, *, refund_id: str) -> RefundResult:
        assert_no_transaction("reading a refund")
        return RefundResult(refund_id, is_settled=_find(SENT, refund_id) is not None)

    def verify_event(self, *, body: bytes, headers: Mapping[str, str]) -> VerifiedEvent:
        """Believe nobody: there is no provider that could tell anything."""
        raise ForgedEvent("offline payments have no events")


def _find(kind: OfflineMovement.Kind, key: str) -> OfflineMovement | None:
    return OfflineMovement.objects.filter(kind=kind, key=key).first()
