"""Every page of the demo shop: fits the screen, is named, and asks no other host."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from orders.models import Order, Shipment
from orders.services import fulfilment
from payments.simulator.running import Simulator
from tests.browser.conftest import Visit
from tests.browser.fit import find_misfits
from tests.browser.shopper import answer_as_bank, expect_headline, fill_in_address, put_in_cart

MUG = "/products/dune-mug/?variant=HAV-MUG-MOSS"
FOR_STRANGERS = [
    *("/", "/categories/table-kitchen/", "/categories/table-kitchen/tableware/?sort=price"),
    *("/categories/living/?price_min=1000000", MUG, "/products/dune-mug/?variant=HAV-MUG-INK"),
    *("/search/", "/search/?q=mug", "/search/?q=nothing-like-this", "/sellers/havre-stengods/"),
    *("/cart/", "/accounts/login/", "/accounts/signup/", "/mailbox/"),
]

PAGE = """() => ({
  headings: document.querySelectorAll("h1").length,
  title: document.title,
  language: document.documentElement.lang,
  twins: [...document.querySelectorAll("[id]")].map((element) => element.id)
    .filter((id, place, all) => all.indexOf(id) !== place),
  mute: document.querySelectorAll("img:not([alt])").length,
  broken: [...document.images].filter((image) => image.complete && !image.naturalWidth)
    .map((image) => image.src),
  nameless: [...document.querySelectorAll("a, button")].filter((element) =>
    !(element.ariaLabel || element.textContent.trim() || element.querySelector("img[alt]")))
    .map((element) => element.outerHTML),
})"""


def look_at(page: Page, address: str = "") -> None:
    if address:
        page.goto(address)
    found = page.evaluate(PAGE)
    assert found.pop("title"), address
    assert find_misfits(page) == [], address or page.url
    assert found == {
        "headings": 1, "language": "en",
        "twins": [], "mute": 0, "broken": [], "nameless": [],
    }, address or page.url  # fmt: skip


@pytest.fixture
def demo(shop: Simulator) -> None:
    call_command("demo", stdout=StringIO())


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_every_page_fits_its_screen(visit: Visit, demo: None, width: int) -> None:
    page = visit(viewport={"width": width, "height": 844})
    for address in FOR_STRANGERS:
        look_at(page, address)
    page.guard.expect(404, 422)
    look_at(page, "/no-such-page/")

    put_in_cart(page, MUG)
    look_at(page)
    look_at(page, "/cart/")
    look_at(page, "/checkout/")
    page.get_by_role("button", name="Pay €28.90").click()
    expect(page.get_by_role("alert")).to_be_focused()
    look_at(page)
    fill_in_address(page)
    page.get_by_role("button", name="Pay €28.90").click()
    look_at(page)
    page.get_by_role("button", name="Cancel and return").click()
    expect_headline(page, "Waiting for your payment")
    look_at(page)
    page.get_by_role("button", name="Pay €28.90").click()
    answer_as_bank(page)
    expect_headline(page, "Thank you for your order")
    look_at(page)
    order = Order.objects.get()
    fulfilment.ship(order.seller_orders.get(), carrier="DHL", tracking_number="JD14", by=None)
    look_at(page, page.url)
    expect_headline(page, "Your order is on its way")
    fulfilment.mark_delivered(Shipment.objects.get(), by=None)
    look_at(page, page.url)
    expect_headline(page, "Your order has arrived")


def test_nothing_is_focused_before_somebody_moves(visit: Visit, demo: None) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    page.add_init_script(
        "document.addEventListener('htmx:afterSettle', ({ detail }) => {"
        "  detail.elt.dataset.settled = '';"
        "})"
    )
    for address in FOR_STRANGERS:
        page.goto(address)
        page.locator(".cart-badge[data-settled]").wait_for(state="attached")

        assert page.evaluate("document.activeElement.tagName") == "BODY", address
