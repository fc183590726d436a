"""What visitors do: each page is a generator of requests that is given each answer.

The same visits are driven over sockets by the load generator and over Django's test client when
SQL statements are counted.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from random import Random

import brotli

SHOPPER = {
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "street": "Unter den Linden 1",
    "postcode": "10117",
    "city": "Berlin",
    "country": "DE",
    "shipping_method": "standard",
}
HIDDEN_FIELD = re.compile(
    r'<input type="hidden" name="(csrfmiddlewaretoken|submit_key|seen_total|seen_lines)"'
    r' value="([^"]*)"'
)
CART_LINES = 3


@dataclass(frozen=True, slots=True)
class Request:
    """One request with the status that it must be answered with; `form` makes it a POST."""

    path: str
    form: Mapping[str, str] | None = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as it arrived; it is unpacked only where a visit reads it."""

    status: int
    body: bytes
    encoding: str = ""

    def text(self) -> str:
        unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}[self.encoding]
        return unpack(self.body).decode()


@dataclass(frozen=True, slots=True)
class World:
    """What there is to visit. `listings` maps a category's address to how many pages it has."""

    size: int
    products: list[str]
    large_product: str
    listings: dict[str, int]
    words: list[str]
    variants: list[int]


Visit = Generator[Request, Response, None]


@dataclass(frozen=True, slots=True)
class Page:
    """`prepare` is done once by each client, whose cookies then stay, unless every visit is new."""

    name: str
    visit: Callable[[World, Random], Visit]
    prepare: Callable[[World, Random], Visit] | None = None
    is_new_visitor: bool = field(default=False)


def home(world: World, random: Random) -> Visit:
    yield Request("/")


def category(world: World, random: Random) -> Visit:
    yield Request(random.choice(list(world.listings)))


def category_deep(world: World, random: Random) -> Visit:
    """Open a page of the second half of a listing."""
    address, pages = random.choice(list(world.listings.items()))
    yield Request(f"{address}?page={random.randint(pages // 2 + 1, pages)}")


def product(world: World, random: Random) -> Visit:
    yield Request(random.choice(world.products))


def large_product(world: World, random: Random) -> Visit:
    yield Request(world.large_product)


def search(world: World, random: Random) -> Visit:
    yield Request(f"/search/?q={random.choice(world.words)}")


def cart(world: World, random: Random) -> Visit:
    yield Request("/cart/")


def fill_cart(world: World, random: Random) -> Visit:
    for variant in random.sample(world.variants, CART_LINES):
        yield _add(variant)


def add_to_cart(world: World, random: Random) -> Visit:
    yield _add(random.choice(world.variants))


def place_order(world: World, random: Random) -> Visit:
    """Buy one thing as a stranger, until the provider's page is open."""
    yield _add(random.choice(world.variants))
    checkout = yield Request("/checkout/")
    hidden = dict(HIDDEN_FIELD.findall(checkout.text()))
    yield Request("/checkout/", form=SHOPPER | hidden | {"action": "place"}, status=302)


def _add(variant: int) -> Request:
    return Request("/cart/add/", form={"variant": str(variant), "quantity": "1"}, status=302)


PAGES = {
    page.name: page
    for page in (
        Page("home", home),
        Page("category", category),
        Page("category-deep", category_deep),
        Page("product", product),
        Page("large-product", large_product),
        Page("search", search),
        Page("cart", cart, prepare=fill_cart),
        Page("add-to-cart", add_to_cart, is_new_visitor=True),
        Page("place-order", place_order, is_new_visitor=True),
    )
}
BARE = Page("bare", home)
