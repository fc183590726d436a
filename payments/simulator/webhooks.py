"""Webhook calls to the shop: signed, retried with growing pauses, kept over a restart.

Source: https://docs.stripe.com/webhooks
"""

from __future__ import annotations

import hmac
import http.client
import logging
import threading
import time
from contextlib import suppress
from hashlib import sha256
from urllib.parse import urlsplit

from payments.simulator import paypal_events
from payments.simulator.provider import PAYPAL_EVENTS, Provider
from payments.simulator.store import Delivery, to_json

logger = logging.getLogger(__name__)

PAUSES = (1, 5, 30, 300, 1800, 7200, 18000)
"""Seconds before each further attempt; after the last one the delivery is given up."""
ANSWER_WITHIN = 10
POSTMEN = 4
LOOK_AGAIN = 1.0
"""Seconds after which a postman looks again even if nobody called."""


def signature_header(body: str, secret: str, *, at: int) -> str:
    """Sign a body as `t=<time>,v1=<HMAC-SHA256 of "<time>.<body>">`."""
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), sha256).hexdigest()
    return f"t={at},v1={digest}"


class PostOffice:
    """A few threads that carry due deliveries to the shop."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._called = threading.Condition()
        self._on_the_way: set[int] = set()
        self._threads = [
            threading.Thread(target=self._work, name=f"simulator-postman-{number}", daemon=True)
            for number in range(POSTMEN)
        ]
        provider.wake_postman = self.wake

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        with self._called:
            self._called.notify_all()

    def join(self) -> None:
        """Wait until every postman has noticed that the simulator is stopping."""
        self.wake()
        for thread in self._threads:
            thread.join(timeout=ANSWER_WITHIN + 1)

    def _work(self) -> None:
        while not self._provider.stopping.is_set():
            try:
                self._take_and_carry()
            except Exception:
                logger.exception("A webhook delivery could not be kept in the books")
                self._provider.stopping.wait(LOOK_AGAIN)

    def _take_and_carry(self) -> None:
        delivery = self._take()
        if delivery is None:
            return
        try:
            self._carry(delivery)
        finally:
            with self._called:
                self._on_the_way.discard(delivery.id)

    def _take(self) -> Delivery | None:
        """Return a due delivery that nobody carries yet, or wait a moment and return none."""
        with self._called:
            now = self._provider.clock.now()
            due = self._provider.store.list_due(
                now, limit=POSTMEN + 1, prefixes=self._provider.reachable_prefixes()
            )
            for delivery in due:
                if delivery.id not in self._on_the_way:
                    self._on_the_way.add(delivery.id)
                    return delivery
            next_due_at = self._provider.store.next_due_at(after=now)
            wait = LOOK_AGAIN if next_due_at is None else next_due_at - now
            self._called.wait(min(wait, LOOK_AGAIN))
            return None

    def _carry(self, delivery: Delivery) -> None:
        url, body, signature = self._letter(delivery)
        answer, is_accepted = self._post(url, body, signature)
        now = self._provider.clock.now()
        if is_accepted:
            self._provider.store.record_success(delivery, answer=answer, now=now)
        else:
            is_last = delivery.attempts >= len(PAUSES)
            next_at = None if is_last else now + PAUSES[delivery.attempts]
            self._provider.store.record_failure(delivery, answer=answer, next_at=next_at)

    def _letter(self, delivery: Delivery) -> tuple[str, str, dict[str, str]]:
        """Return where an event goes, its body, and the headers that sign it."""
        provider = self._provider
        if delivery.event.startswith(PAYPAL_EVENTS):
            kept = provider.store.get(paypal_events.EVENT, delivery.event)
            assert kept is not None
            body = to_json(kept["wire"])
            return (
                provider.paypal_webhook_url or "",
                body,
                paypal_events.sign(provider, body.encode()),
            )
        event = provider.store.get("event", delivery.event)
        assert event is not None
        body = to_json(event)
        signature = signature_header(body, provider.webhook_secret, at=int(time.time()))
        return provider.webhook_url or "", body, {"Stripe-Signature": signature}

    def _post(self, url: str, body: str, signature: dict[str, str]) -> tuple[str, bool]:
        """Send one event; return what came back, in words, and whether it was accepted."""
        parts = urlsplit(url)
        connect = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = connect(parts.netloc, timeout=ANSWER_WITHIN)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Emporium payment simulator",
            **signature,
        }
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", target or "/", body.encode(), headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as fault:
            return f"{type(fault).__name__}: {fault}", False
        finally:
            with suppress(OSError):
                connection.close()
        return f"HTTP {response.status}", 200 <= response.status < 300
