"""Fifty shoppers want the last ten pieces, at the same time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core import mail
from django.db import connection

from cart.queries import get_cart_view
from catalog.errors import OutOfStock
from catalog.models import StockLevel
from catalog.services import stock
from orders.models import Order
from orders.services import placement
from payments import gateways
from payments.simulator.running import running_simulator
from shop import invariants
from shop.money import Money
from tests.factories.catalog import VariantFactory
from tests.factories.orders import BERLIN, TYPED, make_cart, make_delivery
from tests.forms import read_form
from tests.journeys.shopper import session_in
from tests.outbox import deliver_outbox
from tests.races.server import new_port, running_shop
from tests.races.threads import meeting_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

SHOPPERS = 50
PIECES = 10


class Visitor:
    """A shopper whose every request may meet another worker of the server."""

    def __init__(self, shop: str) -> None:
        self.http = httpx.Client(
            base_url=shop, timeout=30, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def go_to_checkout(self, variant_id: int) -> None:
        added = self.http.post("/cart/add/", data={"variant": variant_id, "quantity": 1})
        assert added.headers["location"] == "/cart/", added.text
        page = self.http.get("/checkout/")
        assert page.status_code == 200, page.headers
        self.fields = read_form(page, "/checkout/") | TYPED | {"action": "place"}

    def place(self) -> str:
        """Press the button and return where it leads."""
        answer = self.http.post(
            "/checkout/", data=self.fields, headers={"Referer": f"{self.http.base_url}/checkout/"}
        )
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]


def test_fifty_shoppers_for_ten_pieces_make_ten_orders_and_forty_are_told_kindly(
    tmp_path: Path, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    make_delivery()
    mug = VariantFactory(stock=PIECES)
    port = new_port()
    webhooks = f"http://127.0.0.1:{port}/payments/webhooks/stripe/"
    with (
        running_simulator(webhook_url=webhooks) as simulator,
        running_shop(port, simulator_url=simulator.url, log=tmp_path / "web.log") as shop,
        ThreadPoolExecutor(SHOPPERS) as crowd,
    ):
        settings.STRIPE_API_BASE = simulator.url
        gateways.get_gateway.cache_clear()
        visitors = [Visitor(shop) for _ in range(SHOPPERS)]
        list(crowd.map(lambda visitor: visitor.go_to_checkout(mug.pk), visitors))
        start = threading.Barrier(SHOPPERS)

        def press(visitor: Visitor) -> str:
            start.wait(30)
            return visitor.place()

        places = list(crowd.map(press, visitors))

        lucky = [place for place in places if place.startswith(f"{simulator.url}/pay/")]
        unlucky = [
            visitor for visitor, place in zip(visitors, places, strict=True) if place == "/cart/"
        ]
        assert (len(lucky), len(unlucky)) == (PIECES, SHOPPERS - PIECES), Counter(places)
        assert Order.objects.count() == PIECES
        level = StockLevel.objects.get()
        assert (level.on_hand, level.allocated) == (PIECES, PIECES)
        pages = list(crowd.map(lambda visitor: visitor.http.get("/cart/").text, unlucky))
        assert all("Sold out since you put it in. Please take it out." in page for page in pages)
        assert invariants.find_violations() == []

        for place in lucky:
            simulator.approve(session_in(place))
        simulator.wait_for_deliveries(within=20)
        deliver_outbox()

    level.refresh_from_db()
    assert (level.on_hand, level.allocated) == (0, 0)
    assert set(Order.objects.values_list("status", "payment_status")) == {("placed", "paid")}
    assert len(mail.outbox) == PIECES


def rush(*, shoppers: int, pieces: int) -> Counter[str]:
    """Let shoppers meet at the stock row, all with a cart that was fine a moment ago."""
    make_delivery()
    mug = VariantFactory(stock=pieces)
    carts = [make_cart(mug) for _ in range(shoppers)]
    total = Money(mug.price + Decimal("4.90"), "EUR")

    def place(cart: Any) -> Order:
        return placement.place(
            cart,
            email="ada@example.com",
            address=BERLIN,
            delivery_code="standard",
            submit_key=cart.submit_key,
            seen_total=total,
            seen_lines=get_cart_view(cart.pk).fingerprint,
            language="en",
        )

    results = meeting_at(
        StockLevel.objects.all(), *(lambda cart=cart: place(cart) for cart in carts)
    )
    return Counter(type(result).__name__ for result in results)


def test_shoppers_who_meet_at_the_last_pieces_never_get_more_than_there_are() -> None:
    results = rush(shoppers=8, pieces=3)

    assert results == {"Order": 3, OutOfStock.__name__: 5}
    level = StockLevel.objects.get()
    assert (level.on_hand, level.allocated) == (3, 3)


@pytest.mark.breaks_invariants
def test_control_without_the_guard_the_same_shoppers_oversell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unguarded = stock._CHANGE.replace("{guard}", "true")
    monkeypatch.setattr(stock, "_CHANGE", unguarded)

    with _without_the_constraint():
        results = rush(shoppers=8, pieces=3)

        level = StockLevel.objects.get()
        assert results == {"Order": 8}
        assert (level.on_hand, level.allocated) == (3, 8)


@pytest.mark.breaks_invariants
def test_control_without_the_guard_the_constraint_still_refuses_to_oversell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stock, "_CHANGE", stock._CHANGE.replace("{guard}", "true"))

    results = rush(shoppers=5, pieces=3)

    assert results == {"Order": 3, "IntegrityError": 2}


@contextmanager
def _without_the_constraint() -> Iterator[None]:
    (constraint,) = StockLevel._meta.constraints
    with connection.schema_editor() as editor:
        editor.remove_constraint(StockLevel, constraint)
    try:
        yield
    finally:
        StockLevel.objects.update(allocated=0)
        with connection.schema_editor() as editor:
            editor.add_constraint(StockLevel, constraint)
