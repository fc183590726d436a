"""Providers by name."""

from __future__ import annotations

from functools import cache

from payments.gateways.base import Gateway


@cache
def get_gateway(name: str) -> Gateway:
    """Return the gateway of a provider; its SDK is imported only when it is used."""
    if name == "stripe":
        from payments.gateways.stripe import StripeGateway

        return StripeGateway()
    if name == "offline":
        from payments.gateways.offline import OfflineGateway

        return OfflineGateway()
    raise LookupError(f"there is no payment provider {name!r}")
