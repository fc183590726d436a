"""The checkout in a browser: kind to slips, with scripts and without, and silent when all is well."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from orders.models import Order
from payments.simulator.running import Simulator
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.browser.shopper import (
    answer_as_bank,
    expect_headline,
    expect_provider,
    fill_in_address,
    go_to_provider,
    put_in_cart,
)
from tests.factories.accounts import UserFactory

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PASSWORD = "a long enough password"
TEXTS = (
    "#checkout :is(input:not([type=radio], [type=hidden], [type=checkbox]), select, textarea)"
    ":not([name=homepage]):visible"
)
"""What a person fills in; only programs see the field that is called homepage."""

SLIPS = [
    ("Email", "ada.gmail.com", "There is no @ in it.", "ada@example.com"),
    ("Email", "ada@home@gmail.com", "There is more than one @ in it.", "ada@example.com"),
    ("Email", "ada@example", "The ending is missing, such as .com.", "ada@example.com"),
    ("Email", "ada@gmial.com", "Did you mean ada@gmail.com?", "ada@gmail.com"),
    ("Full name", "ada@gmail.com", "This looks like an email.", "Ada Lovelace"),
    ("Full name", "12345", "Enter a name with letters in it.", "Ada Lovelace"),
    ("Street and house number", "Unter den Linden", "Is there a house number?", "Am Zoo 1"),
    ("Street and house number", "12", "Enter the street, too", "Unter den Linden 12"),
    ("Postcode", "1011", "Enter a postcode as it is written in Germany", "10117"),
    ("City", "10117", "Enter the name of the city or town.", "Berlin"),
    ("Phone", "call me", "Enter a phone number such as", "030 1234567"),
    ("Phone", "123", "Enter a phone number such as", "030 1234567"),
]
MENDED = {
    "Email": " ada@gmail,com",
    "Full name": "Ada  Lovelace",
    "Street and house number": "Unter den Linden 1",
    "Postcode": "D-1O117 Berlin",
    "City": "",
}


def message_of(page: Page, label: str) -> str:
    described = page.get_by_label(label).first.get_attribute("aria-describedby") or ""
    return f"#{described.split()[-1]}"


def test_a_guest_fills_in_seven_fields(page: Page, shelves: Shelves) -> None:
    put_in_cart(page)
    page.goto("/checkout/")

    names = page.locator(TEXTS).evaluate_all("fields => fields.map(field => field.name)")

    assert names == ["email", "country", "name", "street", "postcode", "city", "phone"]


def test_a_field_that_is_left_is_checked_and_forgiven_as_soon_as_it_is_mended(
    page: Page, shelves: Shelves
) -> None:
    put_in_cart(page)
    page.goto("/checkout/")
    for label, slip, told, right in SLIPS:
        field, message = page.get_by_label(label).first, page.locator(message_of(page, label))
        field.fill(slip)
        expect(message).to_be_empty()
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.name")

        expect(message).to_contain_text(told)
        is_error = "Error:" in message.inner_text()
        expect(field).to_have_attribute("aria-invalid", str(is_error).lower())
        assert page.evaluate("document.activeElement.name") == focused, "the focus stays"
        assert field.input_value() == slip

        field.fill(right)
        expect(message).to_be_empty()
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "false")


def test_a_field_that_is_left_empty_is_not_told_off(page: Page, shelves: Shelves) -> None:
    put_in_cart(page)
    page.goto("/checkout/")
    field = page.get_by_label("Email")
    field.fill("ada")
    with page.expect_response("**/checkout/fields/email/"):
        page.keyboard.press("Tab")
    expect(page.locator(message_of(page, "Email"))).to_contain_text("There is no @ in it.")

    field.fill("")

    expect(page.locator(message_of(page, "Email"))).to_be_empty()


def test_a_suggestion_is_taken_with_one_press_and_the_focus_is_in_its_field(
    page: Page, shelves: Shelves
) -> None:
    put_in_cart(page)
    page.goto("/checkout/")
    page.get_by_label("Full name").fill("Ada King")
    page.get_by_label("Email").fill("ada@gmial.com")
    page.get_by_label("Full name").focus()

    page.get_by_role("button", name="Use ada@gmail.com").click()

    expect(page.get_by_label("Email")).to_have_value("ada@gmail.com")
    expect(page.get_by_label("Email")).to_be_focused()
    expect(page.get_by_role("button", name="Use ada@gmail.com")).to_have_count(0)
    expect(page.get_by_label("Full name")).to_have_value("Ada King")


@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_doubt_stops_nobody_twice(
    visit: Visit, shop: Simulator, shelves: Shelves, has_scripts: bool
) -> None:
    page = visit(java_script_enabled=has_scripts)
    page.goto("/products/dune-mug/?variant=MUG-MOSS")
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Go to checkout").click()
    fill_in_address(page)
    page.get_by_label("Email").fill("ada@gmial.com")
    page.get_by_label("Email").press("Enter")

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Is this right?")
    expect(alert.get_by_role("link", name="Did you mean ada@gmail.com?")).to_be_visible()
    if has_scripts:
        expect(alert).to_be_focused()
    else:
        page.get_by_role("button", name="Use ada@gmail.com").click()
        expect(page.get_by_label("Email")).to_have_value("ada@gmail.com")
    expect(page.get_by_label("Full name")).to_have_value("Ada Lovelace")
    page.get_by_role("button", name="Pay €28.90").click()

    expect_provider(page, shop)
    assert Order.objects.get().email == ("ada@gmial.com" if has_scripts else "ada@gmail.com")


@pytest.mark.parametrize("has_scripts", [True, False])
def test_what_can_be_mended_is_mended_without_a_word(
    visit: Visit, shop: Simulator, shelves: Shelves, has_scripts: bool
) -> None:
    page = visit(java_script_enabled=has_scripts)
    page.goto("/products/dune-mug/?variant=MUG-MOSS")
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Go to checkout").click()
    for label, text in MENDED.items():
        page.get_by_label(label).first.fill(text)

    page.get_by_role("button", name="Pay €28.90").click()

    expect_provider(page, shop)
    order = Order.objects.get()
    address = order.addresses.get()
    assert order.email == "ada@gmail.com"
    assert (address.name, address.postcode, address.city) == ("Ada Lovelace", "10117", "Berlin")


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile("/$"))


@pytest.mark.parametrize("has_scripts", [True, False])
def test_who_has_ordered_before_is_two_clicks_from_the_provider_and_types_nothing(
    visit: Visit, shop: Simulator, shelves: Shelves, has_scripts: bool
) -> None:
    ada = UserFactory(email="ada@example.com", password=PASSWORD)
    EmailAddress.objects.create(user=ada, email=ada.email, verified=True, primary=True)
    first = visit()
    sign_in(first)
    go_to_provider(first, shop)
    answer_as_bank(first)
    expect_headline(first, "Thank you for your order")

    page = visit(java_script_enabled=has_scripts)
    sign_in(page)
    put_in_cart(page)
    page.goto("/cart/")
    page.get_by_role("link", name="Go to checkout").click()
    expect(page.get_by_role("region", name="Deliver to")).to_contain_text("Unter den Linden 1")
    expect(page.locator(TEXTS)).to_have_count(0)
    page.get_by_role("link", name="Change address or email").click()
    expect(page.get_by_label("Street and house number")).to_have_value("Unter den Linden 1")
    page.go_back()
    page.get_by_role("button", name="Pay €28.90").click()

    expect_provider(page, shop)
    assert Order.objects.latest("id").total == Decimal("28.90")


def test_on_a_phone_the_total_is_in_sight_and_the_pieces_a_tap_away(
    visit: Visit, shelves: Shelves
) -> None:
    page = visit(**PHONE)
    put_in_cart(page)
    page.goto("/checkout/")
    brief = page.locator(".checkout__brief")

    expect(brief.locator("summary")).to_have_text(re.compile(r"Your order · 1 piece\s*€28.90"))
    expect(page.get_by_text("Dune mug")).to_have_count(2)
    expect(page.get_by_text("Dune mug").first).to_be_hidden()
    brief.locator("summary").tap()
    expect(brief.get_by_text("Dune mug")).to_be_visible()
    page.get_by_label("Country").select_option("FR")
    expect(brief.locator("summary")).to_contain_text("€33.90")
    expect(brief.get_by_text("Dune mug")).to_be_visible()
    expect(page.locator("#checkout-review")).to_contain_text("€33.90")


def test_on_a_wide_screen_the_summary_stays_while_the_form_scrolls(
    visit: Visit, shelves: Shelves
) -> None:
    page = visit(viewport={"width": 1440, "height": 700})
    put_in_cart(page)
    page.goto("/checkout/")

    page.mouse.wheel(0, 500)
    page.wait_for_function("scrollY > 300")

    expect(page.locator("#checkout-review")).to_be_in_viewport(ratio=1)
    expect(page.locator("#checkout-review").get_by_text("Dune mug")).to_be_visible()
    expect(page.locator(".checkout__brief")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_two_fields_beside_each_other_stay_in_line_whatever_is_said_of_them(
    visit: Visit, shelves: Shelves, width: int
) -> None:
    page = visit(viewport={"width": width, "height": 900})
    put_in_cart(page)
    page.goto("/checkout/")
    page.get_by_label("Postcode").fill("1")
    page.get_by_label("Postcode").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()

    def tops(*selectors: str) -> set[int]:
        return {round((page.locator(one).bounding_box() or {})["y"]) for one in selectors}

    assert len(tops("label[for=id_postcode]", "label[for=id_city]")) == 1
    assert len(tops("#id_postcode", "#id_city")) == 1
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0


def test_nothing_moves_while_the_page_is_made(page: Page, shelves: Shelves) -> None:
    put_in_cart(page)
    page.goto("/checkout/")
    moved = page.evaluate(
        "new Promise(done => { let sum = 0; new PerformanceObserver(list => {"
        " for (const entry of list.getEntries()) sum += entry.value; })"
        ".observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 500); })"
    )

    assert moved == 0
