"""Take the pictures of this documentation anew: `make pictures`, while a trial shop is open.

Buys a mug as a guest in each width and theme, looks into the mailbox and signs in to the admin.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

FOLDER = Path(__file__).parent / "images"
SCREENS = {390: (844, 2), 1440: (900, 1)}
"""Width of the window to its height and the density of its points."""

THEMES = ("light", "dark")
QUALITY = 72
PASSWORD = "emporium-demo"
GUEST = {
    "Email": "ada@example.com",
    "Full name": "Ada Lovelace",
    "Street and house number": "Unter den Linden 1",
    "Postcode": "10117",
    "City": "Berlin",
}

Shoot = Callable[[str], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", default="http://127.0.0.1:8000", help="address of a trial shop")
    shop = parser.parse_args().shop.rstrip("/")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for width in SCREENS:
            for theme in THEMES:
                take_all(browser, shop, width, theme)
        browser.close()


def take_all(browser: Browser, shop: str, width: int, theme: str) -> None:
    """Take every picture in one width and theme."""
    for journey in (look_around_and_buy, sell):
        context = open_window(browser, shop, width, theme)
        page = context.new_page()

        def shoot(name: str, page: Page = page) -> None:
            save(page, FOLDER / f"{name}-{width}-{theme}.webp")

        journey(page, shoot)
        context.close()


def open_window(browser: Browser, shop: str, width: int, theme: str) -> BrowserContext:
    height, density = SCREENS[width]
    return browser.new_context(
        base_url=shop,
        viewport={"width": width, "height": height},
        device_scale_factor=density,
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )


def look_around_and_buy(page: Page, shoot: Shoot) -> None:
    """Walk from the front page to the mail that confirms the order."""
    page.goto("/")
    shoot("home")
    page.goto("/categories/table-kitchen/")
    shoot("category")
    page.goto("/products/dune-mug/?variant=HAV-MUG-MOSS")
    shoot("product")
    put_in_cart(page)
    page.goto("/products/alm-board/")
    put_in_cart(page)
    page.goto("/cart/")
    shoot("cart")
    page.goto("/checkout/")
    for label, text in GUEST.items():
        page.get_by_label(label).first.fill(text)
    page.get_by_label("City").first.blur()
    page.evaluate("scrollTo(0, 0)")
    shoot("checkout")
    page.get_by_role("button", name=re.compile("^(?:Order and p|P)ay €")).last.click()
    page.get_by_text("You are the bank").wait_for()
    shoot("simulator")
    page.get_by_role("button", name=re.compile("^(?:Order and p|P)ay €")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for your order")
    shoot("order")
    page.goto("/mailbox/")
    page.locator("main a[href^='/mailbox/']").first.click()
    shoot("mail")


def put_in_cart(page: Page) -> None:
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Go to checkout").wait_for()


def sell(page: Page, shoot: Shoot) -> None:
    """Sign in to the admin and open the order that came last."""
    page.goto("/admin/")
    page.locator("[name=login], [name=username]").first.fill("admin@emporium.example")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(re.compile("/admin/$"))
    page.goto("/admin/")
    shoot("admin")
    page.goto("/admin/orders/order/")
    page.goto(page.locator("a[href$='/change/']").first.get_attribute("href") or "/admin/")
    page.wait_for_load_state()
    shoot("admin-order")


def save(page: Page, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.evaluate("document.activeElement?.blur()")
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.save(path, quality=QUALITY, method=6)
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
