"""Providers by name."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from payments.gateways.base import CardKeeper, Gateway, HoldingGateway
from payments.gateways.breaker import breaker_of

if TYPE_CHECKING:
    from payments.gateways.stripe import StripeGateway


@cache
def get_gateway(name: str) -> Gateway:
    """Return the gateway of a provider; its SDK is imported only when it is used."""
    breaker_of(name).reset()
    if name == "stripe":
        from payments.gateways.stripe import StripeGateway

        return StripeGateway()
    if name == "paypal":
        from payments.gateways.paypal import PayPalGateway

        return PayPalGateway()
    if name == "offline":
        from payments.gateways.offline import OfflineGateway

        return OfflineGateway()
    raise LookupError(f"there is no payment provider {name!r}")


def get_holding_gateway(name: str) -> HoldingGateway:
    """Return the gateway of a provider that can set money aside and take it later."""
    return _get_stripe(name)


def get_card_keeper(name: str) -> CardKeeper:
    """Return the gateway of a provider that keeps cards."""
    return _get_stripe(name)


def _get_stripe(name: str) -> StripeGateway:
    from payments.gateways.stripe import StripeGateway

    gateway = get_gateway(name)
    if not isinstance(gateway, StripeGateway):
        raise LookupError(f"{name!r} neither sets money aside nor keeps cards")
    return gateway
