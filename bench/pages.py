"""What visitors do: each page is a generator of requests that is given each answer.

The same visits are driven over sockets by the load generator and over Django's test client when
SQL statements are counted.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from urllib.parse import urlsplit

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
PAID = "Thank you for your order"
CART_LINES = 3
SHORTEST_MISSPELT = 4
FEW = 16


@dataclass(frozen=True, slots=True)
class Request:
    """One request with the status that it must be answered with; `form` makes it a POST.

    A `step` has its time taken apart from the visit's; `is_at_provider` goes there instead.
    """

    path: str
    form: Mapping[str, str] | None = None
    status: int = 200
    step: str = ""
    is_at_provider: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as it arrived; it is unpacked only where a visit reads it."""

    status: int
    body: bytes
    encoding: str = ""
    location: str = ""

    def text(self) -> str:
        unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}[self.encoding]
        return unpack(self.body).decode()


@dataclass(frozen=True, slots=True)
class World:
    """What there is to visit. `listings` maps a category's address to how many pages it has.

    `slips` says in how many ways words are begun, misspelt, or hit on the keyboard by chance.
    """

    size: int
    products: list[str]
    large_product: str
    listings: dict[str, int]
    filtered: list[str]
    words: list[str]
    rare_words: list[str]
    variants: list[int]
    slips: int = 1_000_000

    def few(self) -> World:
        """Keep a few addresses of each kind, so that a cache soon has all of them."""
        return replace(
            self,
            products=self.products[:FEW],
            listings={address: min(pages, 2) for address, pages in self.listings.items()},
            filtered=self.filtered[:FEW],
            words=self.words[:FEW],
            rare_words=self.rare_words[:FEW],
            slips=FEW,
        )


Visit = Generator[Request, Response, None]


@dataclass(frozen=True, slots=True)
class Page:
    """`prepare` is done once by each client, whose cookies then stay, unless every visit is new.

    A public page is the same for everybody, so that a cache may keep it. `first_visits` are made
    before anything is measured: what a process reads once, such as who has a word, is not a page's
    cost.
    """

    name: str
    visit: Callable[[World, Random], Visit]
    prepare: Callable[[World, Random], Visit] | None = None
    is_new_visitor: bool = field(default=False)
    is_public: bool = field(default=False)
    first_visits: int = 200


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


def category_facets(world: World, random: Random) -> Visit:
    """Narrow a listing down by three facets."""
    yield Request(random.choice(world.filtered))


def search(world: World, random: Random) -> Visit:
    yield Request(f"/search/?q={random.choice(world.words)}")


def search_rare(world: World, random: Random) -> Visit:
    yield Request(f"/search/?q={random.choice(world.rare_words)}")


def search_misspelt(world: World, random: Random) -> Visit:
    mistake = _choose(world, random)
    word = mistake.choice([word for word in world.words if len(word) > SHORTEST_MISSPELT])
    yield Request(f"/search/?q={misspell(word, mistake)}")


def search_nothing(world: World, random: Random) -> Visit:
    """Look for letters that are no word."""
    letters = _choose(world, random).choices("qxzvwkj", k=9)
    yield Request(f"/search/?q={''.join(letters)}")


def suggestions(world: World, random: Random) -> Visit:
    """Ask after a few letters of a word, as somebody who types does."""
    pause = _choose(world, random)
    word = pause.choice(world.words)
    yield Request(f"/search/suggestions/?q={word[: pause.randint(2, len(word))]}")


def _choose(world: World, random: Random) -> Random:
    """Choose one of so many ways to type something, each of which is the same every time."""
    return Random(random.randrange(world.slips))


def misspell(word: str, random: Random) -> str:
    """Leave a letter out, or swap two, inside the word."""
    place = random.randrange(1, len(word) - 2)
    if random.random() < 0.5:
        return word[:place] + word[place + 1 :]
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


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


STEPS = (
    *("add to cart", "checkout", "place"),
    *("pay at the provider", "come back, settle", "order page"),
)


def buy(world: World, random: Random) -> Visit:
    """Buy one thing as a stranger and pay; the return page settles, as the webhook is held back."""
    yield replace(_add(random.choice(world.variants)), step="add to cart")
    checkout = yield Request("/checkout/", step="checkout")
    hidden = dict(HIDDEN_FIELD.findall(checkout.text()))
    form = SHOPPER | hidden | {"action": "place"}
    placed = yield Request("/checkout/", form=form, status=302, step="place")
    place = urlsplit(placed.location)
    if not place.path.startswith("/pay/"):
        raise SoldOut
    paid = yield Request(
        place.path,
        form={"choice": "approve", "webhook": "never"},
        status=303,
        step="pay at the provider",
        is_at_provider=True,
    )
    back = urlsplit(paid.location)
    returned = yield Request(f"{back.path}?{back.query}", status=302, step="come back, settle")
    order = yield Request(urlsplit(returned.location).path, step="order page")
    if PAID not in order.text():
        raise NotPaid


class SoldOut(Exception):
    """The shop sent the visitor back to the cart: somebody was faster."""


class NotPaid(Exception):
    """The order's page does not say that it was paid."""


def _add(variant: int) -> Request:
    return Request("/cart/add/", form={"variant": str(variant), "quantity": "1"}, status=302)


PAGES = {
    page.name: page
    for page in (
        Page("home", home, is_public=True),
        Page("category", category, is_public=True),
        Page("category-deep", category_deep, is_public=True),
        Page("category-facets", category_facets, is_public=True),
        Page("product", product, is_public=True),
        Page("large-product", large_product, is_public=True),
        Page("search", search, is_public=True, first_visits=800),
        Page("search-rare", search_rare, is_public=True, first_visits=800),
        Page("search-misspelt", search_misspelt, is_public=True, first_visits=800),
        Page("search-nothing", search_nothing, is_public=True),
        Page("suggestions", suggestions, is_public=True, first_visits=800),
        Page("cart", cart, prepare=fill_cart),
        Page("add-to-cart", add_to_cart, is_new_visitor=True),
        Page("place-order", place_order, is_new_visitor=True),
    )
}
BUY = Page("buy", buy, is_new_visitor=True, first_visits=40)
"""Not a page: the whole way to a paid order; bench/orders.py has it driven."""
BARE = Page("bare", home)
