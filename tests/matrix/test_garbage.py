"""Garbage in every field: a clear answer, no fault of the server, nothing sold, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from cart.models import Cart, CartItem
from catalog.models import StockLevel
from orders.models import Order
from tests.factories.catalog import BuyableProductFactory, CategoryFactory, VariantFactory
from tests.factories.orders import TYPED, make_delivery
from tests.forms import read_form
from tests.journeys.shopper import Shopper
from tests.shared import naughty_strings

pytestmark = pytest.mark.django_db


@pytest.fixture
def quiet_client() -> Client:
    """A browser that keeps no session, so that each answer stands for itself."""
    return Client()


def every(
    send: Callable[[str], Any], *, allowed: set[int], strings: list[str] | None = None
) -> None:
    """Send every naughty string and name all that were answered badly."""
    wrong = []
    for text in strings or naughty_strings():
        answer = send(text)
        if answer.status_code not in allowed:
            wrong.append((text, answer.status_code))
    assert not wrong, wrong


def test_search_takes_any_text(quiet_client: Client) -> None:
    BuyableProductFactory(title="Dune mug")

    every(lambda text: quiet_client.get("/search/", {"q": text}), allowed={200})


@pytest.mark.parametrize(
    "name", ["page", "sort", "price_min", "price_max", "colour", "in_stock", "seller", "variant"]
)
def test_filters_take_any_text(quiet_client: Client, name: str) -> None:
    category = CategoryFactory()
    BuyableProductFactory(title="Dune mug")

    for page in (f"/categories/{category.path}/", "/search/"):
        every(
            lambda text, page=page: quiet_client.get(page, {"q": "mug", name: text}),
            allowed={200, 302, 404},
            strings=[*naughty_strings()[::20], "\0", "-1", "NaN", "1e999", "9" * 400, "Infinity"],
        )


def test_the_variant_of_a_product_page_takes_any_text(quiet_client: Client) -> None:
    product = BuyableProductFactory()

    every(
        lambda text: quiet_client.get(f"/products/{product.slug}/", {"variant": text}),
        allowed={200, 302, 404},
    )


@pytest.mark.parametrize(
    "path",
    [
        "/products/{}/",
        "/categories/{}/",
        "/sellers/{}/",
        "/pages/{}/",
        "/orders/{}/",
        "/cart/items/{}/",
        "/media/{}",
        "/{}",
        "/de/{}",
    ],
)
def test_addresses_take_any_text(quiet_client: Client, path: str) -> None:
    every(
        lambda text: quiet_client.get(path.format(quote(text.encode("utf-8", "replace"), safe=""))),
        allowed={200, 301, 302, 400, 404, 405},
        strings=[*naughty_strings()[::4], "\0", "a\0b", "..", "../../etc/passwd", "9" * 400],
    )


def test_the_key_of_an_order_takes_any_text(quiet_client: Client) -> None:
    every(lambda text: quiet_client.get("/orders/ABCDEFGH/", {"key": text}), allowed={404})


def test_adding_to_the_cart_takes_any_text_and_puts_nothing_in(quiet_client: Client) -> None:
    variant = VariantFactory(stock=3)
    numbers = {text for text in naughty_strings() if _is_number(text)}

    every(
        lambda text: quiet_client.post("/cart/add/", {"variant": text, "quantity": "1"}),
        allowed={302},
        strings=[text for text in naughty_strings() if text not in numbers],
    )
    every(
        lambda text: quiet_client.post("/cart/add/", {"variant": variant.pk, "quantity": text}),
        allowed={302},
        strings=[text for text in naughty_strings() if text not in numbers and text.strip()],
    )

    assert CartItem.objects.count() == 0


def test_numbers_out_of_this_world_are_answered_too(quiet_client: Client) -> None:
    numbers = [text for text in naughty_strings() if _is_number(text)]

    every(
        lambda text: quiet_client.post("/cart/add/", {"variant": text, "quantity": text}),
        allowed={302},
        strings=numbers,
    )


def test_a_cart_line_takes_any_text_and_stays_as_it_was() -> None:
    shopper = Shopper(Client())
    shopper.put(VariantFactory(stock=3), 2)
    item = CartItem.objects.get()

    every(
        lambda text: shopper.client.post(f"/cart/items/{item.pk}/", {"quantity": text}),
        allowed={302},
        strings=[text for text in naughty_strings() if not _is_number(text)],
    )

    item.refresh_from_db()
    assert item.quantity == 2


def test_checkout_fields_take_any_text_and_give_it_back() -> None:
    make_delivery(price="0")
    shopper = Shopper(Client())
    shopper.put(VariantFactory(stock=3), 1)
    right = read_form(shopper.open_checkout(), "/checkout/") | TYPED
    texts = [text for text in naughty_strings() if text.strip()]

    for start in range(0, len(texts), 4):
        garbage = {
            name: texts[(start + shift) % len(texts)]
            for shift, name in enumerate([*right, "region", "phone"])
        }
        # An email that is no email keeps the order from being placed, whatever else is typed.
        answer = shopper.client.post("/checkout/", right | garbage | {"email": "ada"})

        page = answer.content.decode()
        assert answer.status_code == 200, garbage
        assert "<script>alert" not in page
        for name in ("name", "street", "city"):
            if garbage[name].isprintable():
                assert garbage[name] in unescape(page)

    assert Order.objects.count() == 0
    assert Cart.objects.get().is_open
    assert StockLevel.objects.get().allocated == 0


@pytest.mark.parametrize("field", ["submit_key", "seen_total", "shipping_method", "country"])
@pytest.mark.parametrize("text", ["", "\0", "NaN", "-1", "' OR 1=1 --", "\ud7ff", "9" * 400])
def test_hidden_fields_that_were_tampered_with_order_nothing(field: str, text: str) -> None:
    make_delivery()
    shopper = Shopper(Client())
    shopper.put(VariantFactory(stock=3), 1)

    answer = shopper.place(**{field: text})

    assert answer.status_code in (200, 409)
    assert "Ada Lovelace" in answer.content.decode()
    assert Order.objects.count() == 0


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True
