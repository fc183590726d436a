"""What the simulator's tests share: a client of the real SDK, an order to pay, a shop that listens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe

from payments.simulator.running import Simulator

WEBHOOK_SECRET = "whsec_simulator"
SECRET_KEY = "sk_test_simulator"
SUCCESS_URL = "http://shop.example/orders/E-1001/?session={CHECKOUT_SESSION_ID}"
CANCEL_URL = "http://shop.example/checkout/"


def client_of(simulator: Simulator, *, key: str = SECRET_KEY) -> stripe.StripeClient:
    """Point the real SDK at a simulator."""
    return stripe.StripeClient(key, base_addresses={"api": simulator.url}, max_network_retries=0)


def mug(*, quantity: int = 2, unit_amount: int = 1850, currency: str = "eur") -> dict[str, Any]:
    return {
        "quantity": quantity,
        "price_data": {
            "currency": currency,
            "unit_amount": unit_amount,
            "product_data": {"name": "Stoneware mug, moss"},
        },
    }


def session_parameters(**changes: Any) -> dict[str, Any]:
    """Return what a shop sends for an order of two mugs, 37.00 EUR."""
    return {
        "mode": "payment",
        "line_items": [mug()],
        "customer_email": "ada@example.com",
        "client_reference_id": "E-1001",
        "metadata": {"attempt": "41"},
        "payment_intent_data": {"metadata": {"order": "E-1001"}},
        "success_url": SUCCESS_URL,
        "cancel_url": CANCEL_URL,
        **changes,
    }


@dataclass
class Shop:
    """A webhook endpoint that verifies with the real SDK and remembers what it was told."""

    url: str
    events: list[stripe.Event] = field(default_factory=list)
    refusals_left: int = 0
    calls: int = 0

    @property
    def types(self) -> list[str]:
        return sorted(event.type for event in self.events)


@contextmanager
def listening_shop(*, refusals: int = 0) -> Iterator[Shop]:
    """Listen for webhooks on a free port, refusing the first few calls."""
    lock = threading.Lock()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            event = stripe.Webhook.construct_event(
                body, self.headers["Stripe-Signature"], WEBHOOK_SECRET
            )
            with lock:
                shop.calls += 1
                is_refused = shop.refusals_left > 0
                if is_refused:
                    shop.refusals_left -= 1
                else:
                    shop.events.append(event)
            self.send_response(503 if is_refused else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    shop = Shop(f"http://127.0.0.1:{server.server_address[1]}/webhooks", refusals_left=refusals)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
