"""A shopper with a browser: looks, puts in, checks out, pays, comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from catalog.models import ProductVariant
from orders.models import Order
from payments.models import PaymentAttempt
from payments.simulator.running import Simulator
from tests.factories.orders import TYPED
from tests.forms import read_form, submit

PLACE = {"action": "place"}


def new_browser() -> Client:
    return Client(enforce_csrf_checks=True)


@dataclass
class Shopper:
    client: Client = field(default_factory=new_browser)

    def put(self, variant: ProductVariant, quantity: int | str = 1) -> Any:
        return self.client.post("/cart/add/", {"variant": variant.pk, "quantity": quantity})

    def open_checkout(self) -> Any:
        return self.client.get("/checkout/")

    def fill(self, page: Any = None, **typed: str) -> dict[str, str]:
        """Return the fields of the checkout form as this shopper would send them."""
        return read_form(page or self.open_checkout(), "/checkout/") | TYPED | typed | PLACE

    def place(self, page: Any = None, **typed: str) -> Any:
        return self.client.post("/checkout/", self.fill(page, **typed))

    def press(self, page: Any, action: str) -> Any:
        """Press the button of a form of a page."""
        return submit(self.client, page, action)

    def other_tab(self) -> Shopper:
        """Return the same browser once more, for things done at the same time."""
        twin = new_browser()
        twin.cookies.update(self.client.cookies)
        return Shopper(twin)

    def buy(self, *variants: ProductVariant, quantity: int = 1) -> Order:
        """Order and go as far as the provider's page."""
        for variant in variants:
            self.put(variant, quantity)
        answer = self.place()
        assert answer.status_code == 302, answer.content.decode()
        return Order.objects.latest("id")

    def come_back(self, order: Order) -> str:
        """Return from the provider's page and read the order's page."""
        answer = self.client.get(f"/orders/{order.number}/returned/", follow=True)
        assert answer.status_code == 200
        return words_of(answer)

    def see(self, order: Order) -> str:
        return words_of(self.client.get(f"/orders/{order.number}/"))


def words_of(page: Any) -> str:
    return str(page.content.decode())


def attempt_of(order: Order) -> PaymentAttempt:
    return PaymentAttempt.objects.filter(pk__in=order.payments.values("attempt")).latest("id")


def session_of(order: Order) -> str:
    """Return the provider's name for the page on which the order is paid."""
    return attempt_of(order).provider_session_id


def session_in(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def pay(simulator: Simulator, order: Order) -> None:
    """Approve the payment at the provider; its webhook is held back."""
    simulator.approve(session_of(order), webhook="never")
