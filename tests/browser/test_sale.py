"""A stranger buys, with scripts and without, and nothing else happens in the browser."""

from __future__ import annotations

import re
from decimal import Decimal

from playwright.sync_api import Page, expect

from catalog.models import StockLevel
from orders.models import Order
from payments.simulator.running import Simulator
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.browser.shopper import (
    ADA,
    answer_as_bank,
    expect_headline,
    expect_provider,
    fill_in_address,
)
from tests.outbox import deliver_outbox
from tests.smtp_sink import SmtpSink


def test_a_guest_finds_a_mug_picks_a_glaze_and_buys_two(
    page: Page, shop: Simulator, shelves: Shelves, letterbox: SmtpSink
) -> None:
    page.goto("/")
    page.get_by_role("navigation", name="Categories").get_by_text("Table", exact=True).click()
    page.get_by_role("link", name="Tableware").first.click()
    page.evaluate("window.sameDocument = true")
    page.get_by_role("link", name="Stoneware").click()
    expect(page.get_by_role("link", name="Remove Material: Stoneware")).to_be_visible()
    expect(page.get_by_role("heading", level=3)).to_have_text(["Dune mug"])
    assert page.url.endswith("?material=stoneware")
    assert page.evaluate("window.sameDocument")

    page.get_by_role("link", name="Dune mug").click()
    page.evaluate("window.sameDocument = true")
    page.get_by_role("link", name="Moss").click()
    expect(page).to_have_url(re.compile("variant=MUG-MOSS$"))
    expect(page.locator(".option__picked")).to_have_text("Moss")
    assert page.evaluate("window.sameDocument")
    expect(page.get_by_role("link", name="Moss")).to_be_focused()
    page.get_by_role("button", name="One more").click()
    page.get_by_role("button", name="Add to cart").click()

    drawer = page.get_by_role("dialog", name="Your cart")
    expect(drawer).to_contain_text("Quantity: 2")
    expect(drawer).to_contain_text("€48.00")
    expect(page.get_by_role("heading", name="Your cart")).to_be_focused()
    expect(page.locator(".cart-badge__count")).to_have_text("2")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.get_by_role("button", name="Add to cart")).to_be_focused()
    page.get_by_role("link", name=re.compile("Cart ?, 2 pieces")).click()
    drawer.get_by_role("link", name="Go to checkout").click()

    page.guard.expect(422)
    page.get_by_role("button", name="Pay €52.90").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    assert page.title().startswith("Error:")
    expect(summary.get_by_role("link")).to_have_count(len(ADA))
    summary.get_by_role("link", name="Enter your email, so that we can send").click()
    expect(page.get_by_label("Email")).to_be_focused()
    fill_in_address(page)
    page.get_by_label("Country").select_option("FR")
    expect(page.get_by_role("button", name="Pay €57.90")).to_be_visible()
    expect(page.locator("#checkout-review")).to_contain_text(re.compile(r"VAT 20\s?%"))
    page.get_by_label("Country").select_option("DE")
    expect(page.get_by_role("button", name="Pay €52.90")).to_be_visible()
    expect(page.get_by_label("Full name")).to_have_value("Ada Lovelace")
    page.get_by_role("button", name="Pay €52.90").click()

    expect_provider(page, shop)
    expect(page.get_by_role("heading", level=1)).to_contain_text("€52.90")
    answer_as_bank(page)

    order = Order.objects.get()
    expect_headline(page, "Thank you for your order")
    assert page.url.endswith(f"/orders/{order.number}/")
    expect(page.locator("[aria-current=step]")).to_contain_text("Processing")
    expect(page.locator(".cart-badge__count")).to_have_count(0)
    deliver_outbox()
    order.refresh_from_db()
    assert (order.stage, order.total) == ("Processing", Decimal("52.90"))
    level = StockLevel.objects.get(variant=shelves.moss)
    assert (level.on_hand, level.allocated) == (3, 0)
    assert letterbox.subjects == [f"Your order {order.number} – Emporium"]


def test_a_guest_buys_without_scripts(visit: Visit, shop: Simulator, shelves: Shelves) -> None:
    page = visit(java_script_enabled=False)

    page.goto("/categories/table/")
    page.get_by_role("link", name="Tableware").first.click()
    page.get_by_role("link", name="Stoneware").click()
    expect(page.get_by_role("heading", level=3)).to_have_text(["Dune mug"])
    page.get_by_role("link", name="Dune mug").click()
    page.get_by_role("link", name="Moss").click()
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Add to cart").click()

    expect_headline(page, "Your cart")
    page.get_by_label("Quantity of Dune mug").fill("3")
    page.get_by_role("button", name="Update").click()
    expect(page.get_by_label("Quantity of Dune mug")).to_have_value("3")
    page.get_by_role("link", name="Go to checkout").click()

    page.guard.expect(422)
    page.get_by_role("button", name="Pay €76.90").click()
    expect(page.get_by_role("alert").get_by_role("link")).to_have_count(len(ADA))
    fill_in_address(page)
    page.get_by_label("Country").select_option("FR")
    page.get_by_role("button", name="Update delivery and total").click()
    expect(page.get_by_label("Full name")).to_have_value("Ada Lovelace")
    page.get_by_label("Country").select_option("DE")
    page.get_by_role("button", name="Pay €81.90").click()
    expect(page.get_by_role("main")).to_contain_text("€76.90")
    page.get_by_role("button", name="Pay €76.90").click()

    expect_provider(page, shop)
    answer_as_bank(page)
    expect_headline(page, "Thank you for your order")
    assert Order.objects.get().stage == "Processing"


def test_a_phone_is_enough(visit: Visit, shop: Simulator, shelves: Shelves) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)

    page.goto("/")
    page.get_by_role("button", name="Menu", exact=True).tap()
    page.get_by_role("navigation", name="Categories").get_by_text("Table", exact=True).tap()
    page.get_by_role("link", name="Tableware").first.tap()
    expect_headline(page, "Tableware")
    page.get_by_role("button", name="Filters").tap()
    page.get_by_role("link", name="Stoneware").tap()
    page.get_by_role("button", name="Show 1 product", exact=True).tap()
    expect(page.get_by_role("heading", level=3)).to_have_text(["Dune mug"])
    page.get_by_role("link", name="Dune mug").tap()
    page.get_by_role("link", name="Moss").tap()
    expect(page.locator(".option__picked")).to_have_text("Moss")
    page.get_by_role("button", name="Add to cart").tap()
    page.get_by_role("link", name="Go to checkout").tap()
    fill_in_address(page)
    page.get_by_role("button", name="Pay €28.90").tap()
    expect_provider(page, shop)
    answer_as_bank(page)

    expect_headline(page, "Thank you for your order")
