"""The simulated provider as its doors see it: books, clock, keys and what it was told to do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from payments.simulator.faults import FaultQueue
from payments.simulator.paypal_key import SigningKey
from payments.simulator.store import Store
from shop import clock

STRIPE_EVENTS, PAYPAL_EVENTS = "evt_", "WH-"
"""How the ids of events begin, by which their deliveries are told apart."""


class ProviderClock:
    """The provider's own time, which a test may push forward."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> float:
        return (clock.now() + self._ahead).timestamp()

    def advance(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


@dataclass
class Provider:
    """Everything an operation needs; one per running simulator."""

    store: Store
    secret_key: str
    webhook_secret: str
    webhook_url: str | None
    late_seconds: float
    public_url: str = ""
    paypal_client_id: str = "simulator"
    paypal_client_secret: str = "simulator"
    paypal_webhook_id: str = "SIMULATOR"
    paypal_webhook_url: str | None = None
    paypal_report_lag: float = 0
    """How many seconds PayPal's report is behind; up to three hours in life."""
    paypal_tokens: dict[str, int] = field(default_factory=dict)
    paypal_key: SigningKey = field(default_factory=SigningKey)
    clock: ProviderClock = field(default_factory=ProviderClock)
    faults: FaultQueue = field(default_factory=FaultQueue)
    keys_in_use: set[str] = field(default_factory=set)
    keys_lock: threading.Lock = field(default_factory=threading.Lock)
    stopping: threading.Event = field(default_factory=threading.Event)
    wake_postman: Callable[[], None] = lambda: None

    def reachable_prefixes(self) -> tuple[str, ...]:
        """Return how the ids of those events begin for which the shop has an address."""
        addresses = {STRIPE_EVENTS: self.webhook_url, PAYPAL_EVENTS: self.paypal_webhook_url}
        return tuple(prefix for prefix, address in addresses.items() if address)

    def now(self) -> int:
        """Return the provider's time in whole seconds since 1970, as its objects carry it."""
        return int(self.clock.now())
