"""How often something may be tried: the one table of limits, and whose try it is.

`shop.services.limits` counts; docs/limits.md has the same table in words, and a test compares them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

MINUTE, HOUR, DAY = 60, 3600, 86_400
IPV6_PREFIX = 64
"""What one household or machine gets; counting single addresses would count nothing."""
SUSPICIOUS = 5
"""A try that looks like a program's counts so often at its address."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries in so many seconds, counted from the first, for each value of `per`.

    The first `free` of a key are counted in the process alone, so that whoever is not in a hurry
    costs no statement; a limit may let so many more through for each process.
    """

    per: str
    most: int
    seconds: int
    free: int = 0

    def __str__(self) -> str:
        return f"{self.most}/{self.seconds}s/{self.per}"


@dataclass(frozen=True, slots=True)
class Action:
    """What is limited. One that is guarded is refused while nothing can be counted."""

    limits: tuple[Limit, ...]
    is_guarded: bool = True


ACTIONS: dict[str, Action] = {
    # An office of fifty pays from one address: its sixty an hour are for all of them together, a
    # person's ten are their own.
    "payment": Action(
        (
            Limit("cart", 10, HOUR),
            Limit("order", 10, HOUR),
            Limit("email", 10, HOUR),
            Limit("email", 30, DAY),
            Limit("address", 60, HOUR),
            Limit("address", 300, DAY),
        )
    ),
    # Beside those, while far more payments than usual are declined.
    "payment_in_alarm": Action((Limit("address", 6, HOUR),)),
    # Only keys that open nothing are counted; a link from a mail never is.
    "order_link": Action(
        (Limit("address", 10, 10 * MINUTE), Limit("order", 20, HOUR), Limit("shop", 2000, HOUR))
    ),
    "search": Action((Limit("address", 120, MINUTE, free=30),), is_guarded=False),
    "suggestions": Action((Limit("address", 600, MINUTE, free=150),), is_guarded=False),
    "geocoder": Action((Limit("cart", 60, MINUTE, free=10),), is_guarded=False),
    "review": Action((Limit("address", 30, HOUR), Limit("person", 30, HOUR))),
    "restock": Action((Limit("address", 10, HOUR),)),
    "upload": Action((Limit("person", 600, HOUR),)),
    # Nothing asks for these three yet; who builds it finds its numbers here.
    "coupon": Action((Limit("cart", 20, HOUR), Limit("address", 60, HOUR))),
    "gift_card": Action((Limit("address", 5, 10 * MINUTE), Limit("shop", 500, HOUR))),
    "api": Action((Limit("key", 600, MINUTE, free=60), Limit("address", 1200, MINUTE, free=120))),
}


def read_address(meta: Mapping[str, Any]) -> str:
    """Return the visitor's IP address from what WSGI tells of a request, or an empty text where it is none.

    X-Forwarded-For is believed only if the connection comes from TRUSTED_PROXY_NETWORKS, and only
    the entry that the outermost of TRUSTED_PROXY_COUNT proxies wrote: whatever stands before it is
    the visitor's own invention.
    """
    peer = _parse(meta.get("REMOTE_ADDR", ""))
    count = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    told = meta.get("HTTP_X_FORWARDED_FOR", "")
    if count and told and peer and _is_within(peer, settings.TRUSTED_PROXY_NETWORKS):
        entries = told.split(",")
        if visitor := _parse(entries[-min(count, len(entries))]):
            return str(visitor)
    return str(peer) if peer else ""


def group_address(address: str) -> str:
    """Return what is counted for an address: itself, or the network of an IPv6 one."""
    parsed = _parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))
    return str(parsed) if parsed else ""


def is_free(address: str) -> bool:
    """Say whether tries from an address are not counted, as those of a load test."""
    parsed = _parse(address)
    return parsed is not None and _is_within(parsed, settings.LIMITS_FREE_NETWORKS)


def make_key(*parts: str) -> str:
    """Return a key that tells nobody who reads the table what it was made of."""
    return salted_hmac("shop.limits", "\0".join(parts), algorithm="sha256").hexdigest()[:48]


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address, perhaps with a port, as proxies write it."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _is_within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: list[str]) -> bool:
    return any(address in ipaddress.ip_network(network, strict=False) for network in networks)
