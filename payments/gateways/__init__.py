"""Providers by name."""

from __future__ import annotations

from functools import cache

from payments.gateways.base import Gateway, HoldingGateway
from payments.gateways.breaker import breaker_of


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
    if name == "stripe":
        from payments.gateways.stripe import StripeGateway

        gateway = get_gateway(name)
        assert isinstance(gateway, StripeGateway)
        return gateway
    raise LookupError(f"{name!r} sets no money aside")
