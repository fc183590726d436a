"""A running simulator: its threads, its life, and handles for the tests that drive it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from payments.simulator import (
    disputes,
    events,
    holds,
    paypal_disputes,
    paypal_orders,
    refunds,
    sessions,
)
from payments.simulator.faults import ScriptedFault
from payments.simulator.idempotency import KEY_LIFE
from payments.simulator.provider import Provider
from payments.simulator.server import SimulatorServer
from payments.simulator.store import Delivery, Document, Store
from payments.simulator.webhooks import PostOffice

logger = logging.getLogger(__name__)

IN_MEMORY = ":memory:"
LOOK_FOR_OVERDUE_EVERY = 1.0
LATE_SECONDS = 20.0
STOP_NOTICED_WITHIN = 0.05


class SimulatorForbidden(ImproperlyConfigured):
    """The simulator was asked to run in production."""


class Simulator:
    """One simulated provider with its own port, threads and books."""

    def __init__(
        self,
        *,
        secret_key: str,
        webhook_secret: str,
        webhook_url: str | None = None,
        state: str = IN_MEMORY,
        host: str = "127.0.0.1",
        port: int = 0,
        public_url: str = "",
        late_seconds: float = LATE_SECONDS,
        paypal_client_id: str = "simulator",
        paypal_client_secret: str = "simulator",
        paypal_webhook_id: str = "SIMULATOR",
        paypal_webhook_url: str | None = None,
    ) -> None:
        """Open the books and the port; `state` is a file, or `:memory:` to forget at the end."""
        if settings.EMPORIUM_MODE == "production":
            raise SimulatorForbidden(
                "The payment simulator does not run with EMPORIUM_MODE=production: it would "
                "call orders paid that nobody paid for. Use a Stripe test account instead."
            )
        store = Store(state)
        self.provider = Provider(
            store=store,
            secret_key=secret_key,
            webhook_secret=webhook_secret,
            webhook_url=webhook_url,
            late_seconds=late_seconds,
            paypal_client_id=paypal_client_id,
            paypal_client_secret=paypal_client_secret,
            paypal_webhook_id=paypal_webhook_id,
            paypal_webhook_url=paypal_webhook_url,
        )
        try:
            self._server = SimulatorServer((host, port), self.provider)
        except OSError:
            store.close()
            raise
        address = f"[{host}]" if ":" in host else host
        self.url = f"http://{address}:{self._server.server_address[1]}"
        self.provider.public_url = public_url.rstrip("/") or self.url
        self._post_office = PostOffice(self.provider)
        self._threads = [
            threading.Thread(
                target=self._server.serve_forever,
                args=(STOP_NOTICED_WITHIN,),
                name="simulator",
                daemon=True,
            ),
            threading.Thread(target=self._watch_the_clock, name="simulator-clock", daemon=True),
        ]

    def start(self) -> None:
        """Serve in threads of their own."""
        self.provider.store.forget_answers(before=self.provider.clock.now() - KEY_LIFE)
        for thread in self._threads:
            thread.start()
        self._post_office.start()

    def stop(self) -> None:
        """Finish what is under way, close every connection and the books."""
        self.provider.stopping.set()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._post_office.join()
        for thread in self._threads:
            thread.join(timeout=5)
        self.provider.store.close()

    def _watch_the_clock(self) -> None:
        while not self.provider.stopping.wait(LOOK_FOR_OVERDUE_EVERY):
            try:
                sessions.expire_all_overdue(self.provider)
                holds.lapse_all_overdue(self.provider)
            except Exception:
                logger.exception("Overdue sessions could not be expired")

    # Handles for tests; a script in another process has the same under /_control/.

    @property
    def webhook_url(self) -> str | None:
        return self.provider.webhook_url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.provider.webhook_url = url
        self._post_office.wake()

    @property
    def paypal_webhook_url(self) -> str | None:
        return self.provider.paypal_webhook_url

    @paypal_webhook_url.setter
    def paypal_webhook_url(self, url: str | None) -> None:
        """Events from before there was an address are not sent."""
        self.provider.paypal_webhook_url = url
        self._post_office.wake()

    def approve_order(
        self,
        order_id: str,
        *,
        outcome: str = "completed",
        webhook: str = "now",
        delay: float | None = None,
    ) -> Document:
        """Agree to a PayPal order as a shopper would; the shop's capture then ends as told."""
        plan = events.webhook_plan(webhook, delay=delay)
        return paypal_orders.approve(self.provider, order_id, outcome=outcome, plan=plan)

    def decide_capture(self, capture_id: str, *, is_completed: bool) -> Document:
        return paypal_orders.decide_capture(self.provider, capture_id, is_completed=is_completed)

    def begin_paypal_refund(
        self, order_id: str, *, amount: str | None = None, webhook: str = "now"
    ) -> Document:
        """Refund a payment from PayPal's own pages; `amount` as PayPal writes it."""
        plan = events.webhook_plan(webhook)
        return paypal_orders.begin_refund_elsewhere(
            self.provider, order_id, amount=amount, plan=plan
        )

    def open_paypal_dispute(
        self, order_id: str, *, webhook: str = "now", **wishes: Any
    ) -> Document:
        """Dispute a payment at PayPal; `wishes` as for `paypal_disputes.open_dispute`."""
        plan = events.webhook_plan(webhook)
        return paypal_disputes.open_dispute(self.provider, order_id, plan=plan, **wishes)

    def decide_paypal_dispute(
        self, dispute_id: str, *, is_won: bool, webhook: str = "now"
    ) -> Document:
        plan = events.webhook_plan(webhook)
        return paypal_disputes.decide(self.provider, dispute_id, is_won=is_won, plan=plan)

    def approve(
        self,
        session_id: str,
        *,
        webhook: str = "now",
        delay: float | None = None,
        is_authenticated: bool = False,
        saves_card: bool = False,
    ) -> Document:
        """Pay a session as a shopper would."""
        plan = events.webhook_plan(webhook, delay=delay)
        return sessions.approve(
            self.provider,
            session_id,
            plan=plan,
            is_authenticated=is_authenticated,
            saves_card=saves_card,
        )

    def decline(self, session_id: str, *, decline_code: str = "generic_decline") -> Document:
        return sessions.decline(self.provider, session_id, decline_code=decline_code)

    def expire(self, session_id: str) -> Document:
        return sessions.expire(self.provider, session_id)

    def lapse(self, session_id: str) -> Document:
        """Let an authorisation run out before anybody captured it."""
        return holds.lapse(self.provider, session_id)

    def begin_refund(
        self, session_id: str, *, amount: int | None = None, webhook: str = "now"
    ) -> Document:
        """Refund a payment from the provider's own pages."""
        plan = events.webhook_plan(webhook)
        return refunds.begin_elsewhere(self.provider, session_id, amount=amount, plan=plan)

    def open_dispute(
        self,
        session_id: str,
        *,
        amount: int | None = None,
        is_inquiry: bool = False,
        webhook: str = "now",
    ) -> Document:
        """Dispute a payment as a shopper's bank does."""
        return disputes.open_dispute(
            self.provider,
            session_id,
            amount=amount,
            is_inquiry=is_inquiry,
            plan=events.webhook_plan(webhook),
        )

    def decide_dispute(self, dispute_id: str, *, is_won: bool, webhook: str = "now") -> Document:
        plan = events.webhook_plan(webhook)
        return disputes.decide(self.provider, dispute_id, is_won=is_won, plan=plan)

    def advance(self, seconds: float) -> None:
        """Push the provider's clock forward, expire what is overdue, deliver what is due."""
        self.provider.clock.advance(seconds)
        sessions.expire_all_overdue(self.provider)
        holds.lapse_all_overdue(self.provider)
        self._post_office.wake()

    def add_fault(
        self, operation: str, kind: str, *, times: int = 1, seconds: float | None = None
    ) -> ScriptedFault:
        return self.provider.faults.add(operation, kind, times=times, seconds=seconds)

    def _prefixes_to_wait_for(self) -> tuple[str, ...]:
        return self.provider.reachable_prefixes() or ("",)

    def list_deliveries(self) -> list[Delivery]:
        return self.provider.store.list_deliveries()

    def wait_for_deliveries(self, *, within: float = 5.0) -> list[Delivery]:
        """Return all deliveries once none is due any more, or fail after some seconds."""
        deadline = time.monotonic() + within
        while self.provider.store.list_due(
            self.provider.clock.now(), limit=1, prefixes=self._prefixes_to_wait_for()
        ):
            if time.monotonic() > deadline:
                raise TimeoutError("Some webhook deliveries are still due.")
            time.sleep(0.01)
        return self.list_deliveries()


@contextmanager
def running_simulator(
    *,
    webhook_url: str | None = None,
    secret: str = "whsec_simulator",
    secret_key: str = "sk_test_simulator",
    **options: Any,
) -> Iterator[Simulator]:
    """Run a simulator on a free port for the length of a test; `secret` signs its webhooks."""
    simulator = Simulator(
        secret_key=secret_key, webhook_secret=secret, webhook_url=webhook_url, **options
    )
    simulator.start()
    try:
        yield simulator
    finally:
        simulator.stop()
