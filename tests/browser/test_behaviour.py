"""What scripts add: place and focus are kept, changes are told, nothing happens twice or is lost."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from cart.models import CartItem
from orders.models import Order
from payments.simulator.running import Simulator
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves, fill_up
from tests.browser.shopper import (
    ADA,
    expect_headline,
    expect_provider,
    fill_in_address,
    go_to_provider,
    put_in_cart,
)

LOW = {"width": 1280, "height": 420}
PHONE = {"width": 390, "height": 844}
TABLEWARE = "/categories/table/tableware/"


@pytest.fixture
def full_shelves(shelves: Shelves) -> Shelves:
    """So many products that the listing has a second page."""
    fill_up(shelves)
    return shelves


def said(page: Page) -> Locator:
    """What a screen reader was told last, on the page itself."""
    return page.locator("#said")


def place(page: Page) -> int:
    where: int = page.evaluate("Math.round(scrollY)")
    return where


def scroll_to(page: Page, where: int) -> None:
    page.evaluate("where => scrollTo(0, where)", where)
    expect_place(page, where)


def expect_place(page: Page, where: int) -> None:
    wait_for(page, lambda: abs(place(page) - where) <= 20)


def wait_for(page: Page, condition: Callable[[], Any]) -> None:
    for _ in range(200):
        if condition():
            return
        page.wait_for_timeout(25)
    raise AssertionError("it did not happen within five seconds")


def test_back_and_forward_restore_filters_and_place(visit: Visit, full_shelves: Shelves) -> None:
    page = visit(viewport=LOW)
    page.goto(TABLEWARE)
    scroll_to(page, 300)

    page.get_by_role("link", name="Stoneware").click()
    expect(page.get_by_role("link", name="Remove Material: Stoneware")).to_be_visible()
    expect(page.locator(".card")).to_have_count(1)
    page.go_back()
    expect(page.locator(".card")).to_have_count(24)
    assert not page.url.endswith("stoneware")
    expect_place(page, 300)
    scroll_to(page, 200)
    page.go_forward()
    expect(page.locator(".card")).to_have_count(1)
    expect(page.get_by_role("link", name="Remove Material: Stoneware")).to_be_visible()

    page.get_by_role("link", name="Dune mug").click()
    expect_headline(page, "Dune mug")
    page.go_back()
    expect(page.locator(".card")).to_have_count(1)
    expect(page.get_by_role("link", name="Remove Material: Stoneware")).to_be_visible()


def test_back_from_a_product_leads_to_the_place_in_the_list(
    visit: Visit, full_shelves: Shelves
) -> None:
    page = visit(viewport=LOW)
    page.goto(TABLEWARE)
    page.get_by_role("link", name="2", exact=False).and_(page.locator(".pagination a")).click()
    page.wait_for_url("**page=2*")
    expect(page.locator(".card")).to_have_count(2)
    page.locator(".card").last.scroll_into_view_if_needed()
    scroll_to(page, place(page) + 60)
    before = place(page)

    page.locator(".card a").last.click()
    page.wait_for_url("**/products/**")
    page.go_back()

    expect(page.locator(".card")).to_have_count(2)
    expect_place(page, before)


def test_back_and_forward_restore_the_option(page: Page, shelves: Shelves) -> None:
    page.goto("/products/dune-mug/")
    first = page.locator(".option__picked").inner_text()
    page.get_by_role("link", name="Moss").click()
    expect(page.locator(".option__picked")).to_have_text("Moss")

    page.go_back()
    expect(page.locator(".option__picked")).to_have_text(first)
    page.go_forward()
    expect(page.locator(".option__picked")).to_have_text("Moss")
    page.get_by_role("button", name="Add to cart").click()

    expect(page.get_by_role("dialog", name="Your cart")).to_contain_text("Dune mug")
    assert CartItem.objects.get().variant == shelves.moss


def test_cart_is_true_after_back(page: Page, shelves: Shelves) -> None:
    put_in_cart(page)
    page.goto("/cart/")
    page.goto("/products/alm-board/")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.locator(".cart-badge__count")).to_have_text("2")

    page.go_back()
    expect(page.get_by_label("Quantity of Alm board")).to_have_value("1")
    page.get_by_role("button", name="Remove Alm board").click()
    expect(page.get_by_label("Quantity of Alm board")).to_have_count(0)
    page.go_forward()

    expect(page.locator(".cart-badge__count")).to_have_text("1")


def test_page_that_comes_back_as_it_was_left_is_put_right(page: Page, shelves: Shelves) -> None:
    put_in_cart(page)
    drawer = page.get_by_role("dialog", name="Your cart")
    expect(drawer).to_be_visible()
    elsewhere = page.context.new_page()
    elsewhere.goto("/cart/")
    elsewhere.get_by_role("button", name="Remove Dune mug").click()
    expect_headline(elsewhere, "Your cart")
    expect(elsewhere.get_by_text("It is still empty")).to_be_visible()

    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")

    expect(drawer).to_be_hidden()
    expect(page.locator(".cart-badge__count")).to_have_count(0)


def test_what_was_typed_at_the_checkout_is_there_after_a_look_at_the_cart(
    page: Page, shelves: Shelves
) -> None:
    put_in_cart(page)
    page.goto("/checkout/")
    fill_in_address(page)
    page.get_by_label("Country").select_option("FR")
    expect(page.get_by_role("button", name="Pay €33.90")).to_be_visible()

    page.get_by_role("link", name="Back to the cart").click()
    expect_headline(page, "Your cart")
    page.go_back()
    for label, text in ADA.items():
        expect(page.get_by_label(label, exact=False).first).to_have_value(text)
    page.get_by_role("link", name="Back to the cart").click()
    page.get_by_role("link", name="Go to checkout").click()

    expect(page.get_by_label("Full name")).to_have_value("Ada Lovelace")
    expect(page.get_by_label("Country")).to_have_value("FR")


def test_focus_stays_or_moves_on_in_a_list_and_the_count_is_told(
    page: Page, full_shelves: Shelves
) -> None:
    page.goto(TABLEWARE)
    page.get_by_role("link", name="Stoneware").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.get_by_role("link", name="Stoneware 1", exact=False).first).to_be_focused()
    expect(said(page)).to_have_text("1 product")

    page.get_by_role("link", name="Remove Material: Stoneware").press("Enter")
    expect(page.locator(".card")).to_have_count(24)
    expect(page.locator(".sort summary")).to_be_focused()
    expect(said(page)).to_have_text("26 products")

    page.keyboard.press("Enter")
    page.get_by_role("link", name="Price, lowest first").press("Enter")
    expect(page.locator(".card__title").first).to_have_text("Bowl 0")
    expect(page.locator(".sort summary")).to_be_focused()

    page.get_by_role("link", name="Next").press("Enter")
    page.wait_for_url("**page=2*")
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator(".card__link").first).to_be_focused()
    assert page.locator(".card").first.evaluate("card => card.getBoundingClientRect().top") > 0

    page.get_by_label("From").fill("40")
    page.get_by_role("button", name="Apply").press("Enter")
    expect(page.get_by_role("link", name="Remove From €40.00")).to_be_visible()
    expect(page.get_by_role("button", name="Apply")).to_be_focused()
    assert "sort=price" in page.url


def test_focus_stays_or_moves_on_in_the_cart_and_the_sum_is_told(
    page: Page, shelves: Shelves
) -> None:
    put_in_cart(page)
    hears = page.locator("dialog[open] [data-hears]")
    expect(hears).to_have_text("1 piece in your cart. Subtotal €24.00")
    put_in_cart(page, "/products/alm-board/")
    expect(hears).to_have_text("2 pieces in your cart. Subtotal €78.00")
    page.goto("/cart/")

    more = page.get_by_role("listitem").filter(has_text="Dune mug").get_by_label("One more")
    more.press("Enter")
    expect(said(page)).to_have_text("Subtotal €102.00")
    expect(more).to_be_focused()
    field = page.get_by_label("Quantity of Dune mug")
    field.fill("99")
    field.press("Enter")
    told = "There are only 5 pieces of Dune mug; all of them are in your cart. Subtotal €174.00"
    expect(said(page)).to_have_text(told.replace(". Sub", ".. Sub"))
    expect(field).to_be_focused()
    expect(field).to_have_value("5")

    page.get_by_role("button", name="Remove Dune mug").press("Enter")
    expect(page.get_by_role("heading", name="Your cart")).to_be_focused()
    expect(said(page)).to_contain_text("Dune mug is no longer in your cart.")
    expect(said(page)).to_contain_text("Subtotal €54.00")


def test_focus_stays_at_the_checkout_and_the_total_is_told(page: Page, shelves: Shelves) -> None:
    put_in_cart(page)
    page.goto("/checkout/")

    page.get_by_label("Country").focus()
    page.get_by_label("Country").select_option("FR")

    expect(page.get_by_role("button", name="Pay €33.90")).to_be_visible()
    expect(said(page)).to_contain_text("Total €33.90")
    expect(page.get_by_label("Country")).to_be_focused()


def count_posts(page: Page, address: str) -> list[Request]:
    seen: list[Request] = []
    page.on(
        "request",
        lambda request: (
            seen.append(request) if request.method == "POST" and address in request.url else None
        ),
    )
    return seen


def test_a_double_tap_on_add_adds_once_and_a_second_tap_once_more(
    visit: Visit, shelves: Shelves
) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    posts = count_posts(page, "/cart/add/")
    page.goto("/products/dune-mug/?variant=MUG-MOSS")
    drawer = page.get_by_role("dialog", name="Your cart")

    page.get_by_role("button", name="Add to cart").dblclick()
    expect(drawer).to_contain_text("Quantity: 1")
    expect(page.locator(".cart-badge__count")).to_have_text("1")
    assert len(posts) == 1
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add to cart").tap()

    expect(drawer).to_contain_text("Quantity: 2")
    assert CartItem.objects.get().quantity == 2


def test_quick_taps_on_more_all_count(page: Page, shelves: Shelves) -> None:
    put_in_cart(page)
    page.goto("/cart/")
    answers: list[Route] = []
    page.route("**/cart/items/*/", lambda route: answers.append(route))
    more = page.get_by_label("One more")

    more.click()
    wait_for(page, lambda: len(answers) == 1)
    more.click()
    answers[0].continue_()
    wait_for(page, lambda: len(answers) == 2)
    answers[1].continue_()

    expect(page.get_by_label("Quantity of Dune mug")).to_have_value("3")
    expect(said(page)).to_have_text("Subtotal €72.00")
    assert CartItem.objects.get().quantity == 3


def test_a_double_click_on_cancel_cancels_once(
    page: Page, shop: Simulator, shelves: Shelves
) -> None:
    go_to_provider(page, shop)
    page.get_by_role("button", name="Cancel and return").click()
    posts = count_posts(page, "/cancel/")

    page.get_by_role("button", name="Cancel this order").dblclick()

    expect_headline(page, "Your cart")
    expect(page.get_by_text("everything is back in your cart")).to_be_visible()
    expect(page.get_by_label("Quantity of Dune mug")).to_have_value("1")
    assert len(posts) == 1
    assert Order.objects.get().stage == "Cancelled"


def test_a_double_click_on_pay_again_sends_one_form(
    page: Page, shop: Simulator, shelves: Shelves
) -> None:
    go_to_provider(page, shop)
    page.get_by_role("button", name="Cancel and return").click()
    posts = count_posts(page, "/pay/")

    page.get_by_role("button", name="Pay €28.90").dblclick()

    expect_provider(page, shop)
    assert len(posts) == 1


WAITING = "getComputedStyle(document.documentElement, '::before').content !== 'none'"


@pytest.mark.parametrize("reduced_motion", ["reduce", "no-preference"])
def test_what_takes_long_is_seen_to_be_on_its_way(
    visit: Visit, shop: Simulator, shelves: Shelves, reduced_motion: str
) -> None:
    page = visit(reduced_motion=reduced_motion)
    page.goto(TABLEWARE)
    assert not page.evaluate(WAITING)
    held: list[Route] = []
    page.route("**/*material=*", lambda route: held.append(route))

    page.get_by_role("link", name="Stoneware").click()
    wait_for(page, lambda: held)
    wait_for(page, lambda: page.evaluate(WAITING))
    expect(page.locator("#listing .grid")).to_have_css("opacity", "0.5")
    held[0].continue_()
    expect(page.locator(".card")).to_have_count(1)
    wait_for(page, lambda: not page.evaluate(WAITING))

    put_in_cart(page)
    page.goto("/checkout/")
    fill_in_address(page)
    page.evaluate(
        f"addEventListener('submit', () => setTimeout(() => console.info('waits', {WAITING})))"
    )
    page.route("**/checkout/", lambda route: (time.sleep(0.5), route.continue_()))
    with page.expect_console_message(lambda message: message.text == "waits true"):
        page.get_by_role("button", name="Pay €28.90").click()
    expect_provider(page, shop)


def test_a_lost_connection_is_told_and_nothing_is_lost(page: Page, shelves: Shelves) -> None:
    put_in_cart(page)
    page.goto("/cart/")
    page.guard.expect_lost_connections()
    toast = page.get_by_text("That did not work. Please check your connection and try again.")
    page.route("**/cart/items/*/", lambda route: route.abort("internetdisconnected"))

    page.get_by_label("One more").click()
    expect(toast.and_(page.locator("#toast"))).to_be_visible()
    expect(said(page)).to_contain_text("That did not work.")
    expect(page.get_by_label("Quantity of Dune mug")).to_have_value("2")
    page.unroute("**/cart/items/*/")
    page.get_by_role("button", name="Update").click()
    expect(said(page)).to_have_text("Subtotal €48.00")
    expect(page.get_by_role("button", name="Update")).to_have_count(0)

    page.goto(TABLEWARE)
    page.route("**/*material=*", lambda route: route.abort("internetdisconnected"))
    page.get_by_role("link", name="Stoneware").click()
    expect(page.locator("#toast")).to_be_visible()
    expect(page.locator(".card")).to_have_count(2)
    assert page.url.endswith(TABLEWARE)

    page.goto("/checkout/")
    fill_in_address(page)
    page.route("**/checkout/", lambda route: route.abort("internetdisconnected"))
    page.get_by_label("Country").select_option("FR")
    expect(page.locator("#toast")).to_be_visible()
    for label, text in ADA.items():
        expect(page.get_by_label(label, exact=False).first).to_have_value(text)
    assert CartItem.objects.get().quantity == 2


@pytest.mark.parametrize(("reduced_motion", "melts"), [("no-preference", True), ("reduce", False)])
def test_pages_melt_into_each_other_unless_less_motion_is_asked_for(
    visit: Visit, shelves: Shelves, reduced_motion: str, melts: bool
) -> None:
    page = visit(reduced_motion=reduced_motion)
    page.add_init_script(
        "addEventListener('pagereveal', (event) => { window.melts = !!event.viewTransition })"
    )
    page.goto(TABLEWARE)

    page.get_by_role("link", name="Dune mug").click()
    page.wait_for_url("**/dune-mug/")

    assert page.evaluate("window.melts") is melts


def test_the_filters_of_a_phone_stay_open_until_the_products_are_asked_for(
    visit: Visit, shelves: Shelves
) -> None:
    page = visit(viewport=PHONE, has_touch=True)
    page.goto(TABLEWARE)
    page.get_by_role("button", name="Filters").tap()
    sheet = page.get_by_role("region", name="Filters")
    expect(sheet.get_by_role("button", name="Show 2 products")).to_be_visible()

    sheet.get_by_role("link", name="Stoneware").tap()
    shown = sheet.get_by_role("button", name="Show 1 product", exact=True)
    expect(shown).to_be_visible()
    expect(sheet.get_by_role("link", name="Stoneware")).to_be_focused()
    expect(said(page)).to_have_text("1 product")
    assert page.url.endswith("?material=stoneware")

    shown.tap()
    expect(sheet).to_be_hidden()
    expect(page.locator(".card")).to_have_count(1)
    expect(page.get_by_role("link", name="Remove Material: Stoneware")).to_be_visible()
    page.go_back()
    expect(page.locator(".card")).to_have_count(2)


def test_only_catalogue_pages_are_fetched_ahead_and_only_when_pointed_at(
    page: Page, shelves: Shelves
) -> None:
    ahead: list[str] = []
    page.on(
        "request",
        lambda request: (
            ahead.append(request.url)
            if "prefetch" in request.headers.get("sec-purpose", "")
            else None
        ),
    )
    page.goto(TABLEWARE)
    for other in (
        page.get_by_role("link", name="Your account").first,
        page.locator("[data-opens-cart]"),
        page.get_by_role("link", name="Stoneware"),
    ):
        other.hover()
        page.wait_for_timeout(150)
    assert ahead == []

    page.get_by_role("link", name="Alm board").hover()
    page.wait_for_timeout(300)
    page.get_by_role("link", name="Dune mug").hover()
    page.wait_for_timeout(300)
    page.get_by_role("link", name="Alm board").hover()
    page.wait_for_timeout(300)

    assert [re.sub(r"https?://[^/]+", "", url) for url in ahead] == [
        "/products/alm-board/", "/products/dune-mug/"
    ]  # fmt: skip
