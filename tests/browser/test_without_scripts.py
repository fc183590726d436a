"""With scripts blocked every journey can be made; `test_words_without_scripts.py` has the pages.

A guest's shortest way is in `test_sale.py`, a photograph's link in `test_design.py`.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from cart.models import CartItem
from orders.models import Order
from orders.services import fulfilment
from payments.simulator.running import Simulator
from shop.models import Page as ContentPage
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves, fill_up
from tests.browser.shopper import (
    answer_as_bank,
    expect_headline,
    expect_provider,
    fill_in_address,
)
from tests.outbox import deliver_outbox
from tests.smtp_sink import SmtpSink

EMAIL, PASSWORD, NEW_PASSWORD = (
    "ada@example.com",
    "difference engine 1842",
    "analytical 1837 engine",
)
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def plain(visit: Visit) -> Page:
    """A browser that runs no scripts."""
    return visit(java_script_enabled=False)


def expect_listed(page: Page, *titles: str) -> None:
    expect(page.locator(".card__title")).to_have_text(list(titles))


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 900}])
def test_looking_around_and_filling_the_cart(
    visit: Visit, shelves: Shelves, viewport: dict[str, int]
) -> None:
    fill_up(shelves)
    page = visit(java_script_enabled=False, viewport=viewport)
    is_phone = viewport is PHONE
    page.goto("/")
    if is_phone:
        page.get_by_role("button", name="Menu", exact=True).click()
    menu = page.get_by_role("navigation", name="Categories")
    menu.get_by_text("Table", exact=True).click()
    menu.get_by_role("link", name="Tableware").click()
    expect_headline(page, "Tableware")

    page.get_by_role("link", name="Next").click()
    expect(page.locator(".card")).to_have_count(2)
    page.get_by_text("Sort:").click()
    page.get_by_role("link", name="Price, lowest first").click()
    expect(page.locator(".card__title").first).to_have_text("Bowl 0")

    def open_filters() -> None:
        if is_phone:
            page.get_by_role("button", name="Filters").click()

    for facet in ("Stoneware", "Oak", "In stock"):
        open_filters()
        page.get_by_role("link", name=facet).click()
    expect(page.locator(".card")).to_have_count(2)
    open_filters()
    page.get_by_label("From").fill("50")
    page.get_by_role("button", name="Apply").click()
    expect_listed(page, "Alm board")
    page.get_by_role("link", name="Remove Material: Oak").click()
    expect(page.get_by_text("Nothing fits all of these filters")).to_be_visible()
    page.get_by_role("link", name=re.compile("Remove From")).click()
    expect_listed(page, "Dune mug")
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator(".card")).to_have_count(24)

    page.goto("/products/dune-mug/")
    page.get_by_role("link", name="Ink").click()
    expect(page.get_by_role("button", name="Add to cart")).to_have_count(0)
    expect(page.locator(".buy")).to_have_text("Sold out")
    page.get_by_role("link", name="Moss").click()
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Add to cart").click()

    expect_headline(page, "Your cart")
    expect(page.get_by_label("Quantity of Dune mug")).to_have_value("2")
    page.get_by_label("Quantity of Dune mug").fill("9")
    page.get_by_role("button", name="Update").click()
    expect(page.get_by_text("There are only 5 pieces of Dune mug")).to_be_visible()
    page.get_by_role("button", name="Remove Dune mug").click()
    expect(page.get_by_text("Dune mug is no longer in your cart.")).to_be_visible()
    expect(page.get_by_text("It is still empty")).to_be_visible()
    assert CartItem.objects.count() == 0


def test_searching_reading_and_changing_the_language(plain: Page, shelves: Shelves) -> None:
    ContentPage.objects.create(slug="delivery", title="Delivery", body="<p>By post.</p>")
    plain.goto("/")
    plain.get_by_role("searchbox").first.fill("mug")
    plain.keyboard.press("Enter")
    expect_listed(plain, "Dune mug")
    plain.get_by_role("main").get_by_role("searchbox").fill("submarine")
    plain.get_by_role("main").get_by_role("button", name="Search").click()
    expect(plain.get_by_text("We found nothing under these words.")).to_be_visible()

    plain.goto("/categories/table/tableware/")
    plain.get_by_role("link", name="Stoneware").click()
    plain.get_by_role("link", name="Deutsch").click()
    assert plain.url.endswith("/de/categories/table/tableware/?material=stoneware")
    expect(plain.locator("html")).to_have_attribute("lang", "de")
    expect_listed(plain, "Dune mug")
    plain.get_by_role("link", name="English").click()
    plain.goto("/pages/delivery/")

    expect_headline(plain, "Delivery")


def test_having_an_account(plain: Page, shop: Simulator, shelves: Shelves) -> None:
    main = plain.get_by_role("main")
    plain.goto("/accounts/signup/")
    plain.get_by_label("Email").fill(EMAIL)
    plain.get_by_label("Password").fill(PASSWORD)
    main.get_by_role("button", name="Make my account").click()
    expect_headline(plain, "Enter the code")
    code_page = plain.url
    text = read_mail(plain, "code")
    plain.goto(code_page)
    plain.get_by_label("Code").fill(re.search(r"\b[A-Z0-9]{4}-?[A-Z0-9]{2,4}\b", text)[0])
    main.get_by_role("button", name="Confirm").click()
    assert User.objects.get().email == EMAIL

    buy(plain, shop)
    order = Order.objects.get()
    plain.goto("/account/")
    main.get_by_role("link", name=order.number).click()
    expect_headline(plain, "Thank you for your order")
    plain.goto("/account/")
    main.get_by_role("link", name="Sign out").click()
    main.get_by_role("button", name="Sign out").click()

    plain.goto("/accounts/login/")
    main.get_by_role("link", name=re.compile("password", re.IGNORECASE)).click()
    plain.get_by_label("Email").fill(EMAIL)
    main.locator("[type=submit]").click()
    text = read_mail(plain, "password")
    plain.goto(re.search(r"http\S+/reset/key/\S+", text)[0])
    for field in main.locator("input[type=password]").all():
        field.fill(NEW_PASSWORD)
    main.locator("[type=submit]").first.click()
    plain.goto("/accounts/login/")
    plain.get_by_label("Email").fill(EMAIL)
    plain.get_by_label("Password").fill(PASSWORD)
    main.get_by_role("button", name="Sign in", exact=True).click()
    expect(plain.locator(".error-summary")).to_be_visible()
    plain.get_by_label("Password").fill(NEW_PASSWORD)
    main.get_by_role("button", name="Sign in", exact=True).click()
    plain.goto("/account/")

    expect(main.get_by_role("link", name=order.number)).to_be_visible()


def read_mail(page: Page, subject: str) -> str:
    deliver_outbox()
    page.goto("/mailbox/")
    page.get_by_role("main").get_by_role("link", name=re.compile(subject)).click()
    return page.locator(".mail__text").inner_text()


def go_to_checkout(page: Page) -> None:
    page.goto("/products/dune-mug/?variant=MUG-MOSS")
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Go to checkout").click()


def buy(page: Page, simulator: Simulator) -> None:
    go_to_checkout(page)
    fill_in_address(page)
    page.get_by_role("button", name="Pay €28.90").click()
    expect_provider(page, simulator)
    answer_as_bank(page)
    expect_headline(page, "Thank you for your order")


def test_paying_after_a_refusal_and_following_the_parcel(
    plain: Page, shop: Simulator, shelves: Shelves, letterbox: SmtpSink
) -> None:
    plain.guard.expect(422)
    go_to_checkout(plain)
    plain.get_by_role("button", name="Pay €28.90").click()
    plain.get_by_role("alert").get_by_role("link").first.click()
    fill_in_address(plain)
    plain.get_by_label("Country").select_option("FR")
    plain.get_by_role("button", name="Update delivery and total").click()
    expect(plain.get_by_role("button", name="Pay €33.90")).to_be_visible()
    plain.get_by_role("button", name="Pay €33.90").click()
    plain.guard.expect(402)
    answer_as_bank(plain, "Decline it")
    expect(plain.get_by_role("alert")).to_contain_text("Nothing was charged")
    plain.get_by_role("button", name="Cancel and return").click()
    expect_headline(plain, "Waiting for your payment")
    plain.get_by_role("button", name="Pay €33.90").click()
    answer_as_bank(plain)
    expect_headline(plain, "Thank you for your order")

    order = Order.objects.get()
    fulfilment.ship(
        order.seller_orders.get(), carrier="DHL", tracking_number="JD014600006281230701", by=None
    )
    plain.reload()

    expect_headline(plain, "Your order is on its way")
    expect(plain.get_by_text("JD014600006281230701").first).to_be_visible()


def test_giving_an_order_up(plain: Page, shop: Simulator, shelves: Shelves) -> None:
    go_to_checkout(plain)
    fill_in_address(plain)
    plain.get_by_role("button", name="Pay €28.90").click()
    plain.get_by_role("button", name="Cancel and return").click()
    plain.get_by_role("button", name="Cancel this order").click()

    expect_headline(plain, "Your cart")
    expect(plain.get_by_text("everything is back in your cart")).to_be_visible()
    expect(plain.get_by_label("Quantity of Dune mug")).to_have_value("1")
    assert Order.objects.get().stage == "Cancelled"


def test_waiting_for_the_payment_one_can_look_again(
    plain: Page, shop: Simulator, shelves: Shelves
) -> None:
    go_to_checkout(plain)
    fill_in_address(plain)
    plain.get_by_role("button", name="Pay €28.90").click()
    shop.add_fault("checkout.sessions.retrieve", "error_500_before")
    answer_as_bank(plain)
    expect_headline(plain, "Confirming your payment")
    shop.wait_for_deliveries()
    deliver_outbox()

    plain.get_by_role("link", name="Look again").click()

    expect_headline(plain, "Thank you for your order")
