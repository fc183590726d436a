"""What a screen reader is told of the main pages, written down to be read by people.

`make snapshots` writes the files in `snapshots/` anew. Read what changed as if it were read to you.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from orders.models import Order
from payments.simulator.running import Simulator
from tests.browser.conftest import Visit
from tests.browser.scenes import DESKTOP, PHONE, Visitor, hang_photographs
from tests.browser.shelves import Shelves
from tests.browser.shopper import answer_as_bank, fill_in_address
from tests.factories.accounts import UserFactory

SNAPSHOTS = Path(__file__).parent / "snapshots"
IS_WRITING = os.environ.get("WRITE_SNAPSHOTS") == "1"

MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
DAY = rf"(?:\b\w+day, )?\b{MONTH}\.? \d{{1,2}}\b(?:, \d{{4}})?(?:,? \d?\d:\d\d)?"
CHANGING = (
    (re.compile(DAY), "DAY"),
    (re.compile(r"\bperson-\d+@"), "person@"),
    (re.compile(r"/(static|media)/[^\s\"]+"), r"/\1/FILE"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A page, or a part of it, that is read aloud; what is around every page is read once."""

    name: str
    part: str = "main"


def read_aloud(page: Page, part: str) -> str:
    """Return the accessibility tree of a part of the page, without what is different tomorrow."""
    told = f"# {page.title()}\n{page.locator(part).aria_snapshot().rstrip()}\n"
    for number in Order.objects.values_list("number", flat=True):
        told = told.replace(number, "NUMBER")
    for changing, word in CHANGING:
        told = changing.sub(word, told)
    return told


def walk(visitor: Visitor) -> Iterator[Place]:
    page = visitor.page
    visitor.go("/")
    yield Place("home", "body")
    page.set_viewport_size({"width": PHONE, "height": 844})
    page.locator(".site-header [popovertarget]").first.click()
    page.locator("#site-menu summary").first.click()
    yield Place("menu", "#site-menu")
    page.set_viewport_size({"width": DESKTOP, "height": 900})
    visitor.go("/categories/table/tableware/?material=stoneware")
    yield Place("category")
    visitor.go("/search/?q=board")
    yield Place("search")
    visitor.go("/products/dune-mug/?variant=MUG-MOSS")
    yield Place("product")
    visitor.press("Add to cart")
    expect(page.locator("dialog[open] .line").first).to_be_visible()
    yield Place("drawer", "dialog[open]")
    visitor.go("/cart/")
    yield Place("cart")
    visitor.go("/checkout/")
    yield Place("checkout", "body")
    page.guard.expect(422)
    visitor.press("Pay")
    expect(page.get_by_role("alert")).to_be_visible()
    yield Place("checkout-errors")
    fill_in_address(page)
    visitor.press("Pay")
    page.wait_for_url(f"{visitor.shop.url}/**")
    page.get_by_role("button", name="Cancel and return").click()
    visitor.wait_for_the_badge()
    yield Place("order-waiting")
    visitor.press("Pay")
    answer_as_bank(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for your order")
    visitor.wait_for_the_badge()
    yield Place("order")
    visitor.go("/accounts/login/")
    yield Place("sign-in")
    person = UserFactory(name="Ada Lovelace")
    Order.objects.update(user=person)
    visitor.sign_in(person)
    visitor.go("/account/")
    yield Place("account")
    for name, path in {
        "security": "/accounts/2fa/",
        "email-addresses": "/accounts/email/",
        "new-password": "/accounts/password/change/",
        "say-once-more": "/accounts/2fa/totp/activate/",
    }.items():
        visitor.go(path)
        yield Place(name)


def test_screen_readers_are_told_what_is_written_down(
    visit: Visit, shop: Simulator, shelves: Shelves, web: str, media_folder: Path
) -> None:
    hang_photographs(shelves, media_folder)
    visitor = Visitor(visit(), shop, shelves, web, "en")
    told = {}

    for place in walk(visitor):
        told[place.name] = read_aloud(visitor.page, place.part)
        if IS_WRITING:
            SNAPSHOTS.mkdir(exist_ok=True)
            (SNAPSHOTS / f"{place.name}.yaml").write_text(told[place.name], "utf-8")

    assert sorted(path.stem for path in SNAPSHOTS.glob("*.yaml")) == sorted(told)
    for name, tree in told.items():
        assert tree == (SNAPSHOTS / f"{name}.yaml").read_text("utf-8"), f"{name}: make snapshots"
