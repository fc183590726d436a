"""What PayPal's tests share: an order to be paid there, its news by hand, what was taken."""

from __future__ import annotations

import json
from typing import Any

import httpx
from django.test import Client

from orders.models import Order
from orders.services import payment
from payments.models import PaymentAttempt
from payments.simulator import paypal_events, paypal_orders
from payments.simulator.running import Simulator
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import session_of

WEBHOOK = "/payments/webhooks/paypal/"
CREATE, READ = "paypal.orders.create", "paypal.orders.get"
CAPTURE, REFUND = "paypal.orders.capture", "paypal.captures.refund"
Document = dict[str, Any]


def order_to_pay(*, quantity: int = 2) -> Order:
    """Place an order that is to be paid at PayPal: 52.90 euros for two mugs."""
    order = place_order(VariantFactory(stock=3), quantity=quantity)
    PaymentAttempt.objects.filter(pk__in=order.payments.values("attempt")).update(provider="paypal")
    return order


def started_order() -> Order:
    order = order_to_pay()
    payment.start(order)
    return order


def paid_order(simulator: Simulator) -> Order:
    order = started_order()
    simulator.approve_order(session_of(order), webhook="never")
    payment.check(order)
    order.refresh_from_db()
    assert order.payment_status == "paid"
    return order


def list_kept(simulator: Simulator, kind: str) -> list[Document]:
    return simulator.provider.store.list_documents(kind, [], limit=1000, oldest_first=True)


def captures_of(simulator: Simulator, order: Order) -> list[str]:
    """Return how the captures of an order's PayPal orders stand at PayPal."""
    attempts = PaymentAttempt.objects.filter(pk__in=order.payments.values("attempt"))
    references = set(attempts.values_list("reference", flat=True))
    kept = list_kept(simulator, paypal_orders.CAPTURE)
    return [each["status"] for each in kept if each["custom_id"] in references]


def events_of(simulator: Simulator, event_type: str, order_id: str) -> list[Document]:
    """Return what PayPal has to tell about an order or its captures, oldest first."""
    kept = [each["wire"] for each in list_kept(simulator, paypal_events.EVENT)]
    return [
        each
        for each in kept
        if each["event_type"] == event_type and order_id in json.dumps(each["resource"])
    ]


def post_event(
    simulator: Simulator, event: Document, *, age: float = 0, client: Client | None = None
) -> Any:
    """Call the shop's webhook as PayPal does."""
    body = json.dumps(event).encode()
    return post(body, paypal_events.sign(simulator.provider, body, age=age), client=client)


def post(body: bytes, headers: dict[str, str], *, client: Client | None = None) -> Any:
    return (client or Client(enforce_csrf_checks=True)).post(
        WEBHOOK, body, content_type="application/json", headers=headers
    )


def ask_api(simulator: Simulator, method: str, path: str, **options: Any) -> httpx.Response:
    """Call PayPal's API as the shop does, with a token of its own."""
    token = httpx.post(
        f"{simulator.url}/v1/oauth2/token",
        auth=("simulator", "simulator"),
        data={"grant_type": "client_credentials"},
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
    return httpx.request(method, simulator.url + path, headers=headers, **options)
