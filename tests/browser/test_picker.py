"""Choosing among a hundred variants, of which some are sold out and some were never made."""

from __future__ import annotations

import re
from itertools import product as combine

import pytest
from playwright.sync_api import Locator, Page, expect

from cart.models import CartItem
from catalog.models import Product, ProductVariant
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves, index_all
from tests.browser.test_keyboard import Keyboard
from tests.factories.catalog import (
    OptionFactory,
    OptionValueFactory,
    ProductFactory,
    VariantFactory,
)

COLOURS = {"Sand": "#cbbba4", "Moss": "#7b7f63", "Ink": "#3f444b", "Rust": "#a4542f",
           "Chalk": "#efe9dd", "Mist": "#b8c2c4"}  # fmt: skip
AXES = {
    "Colour": [*COLOURS],
    "Size": ["135 cm", "140 cm", "155 cm", "200 cm", "220 cm", "240 cm"],
    "Closure": ["Ties", "Buttons", "Zip"],
}
SOLD_OUT = {("Moss", "135 cm", "Ties"), ("Moss", "140 cm", "Ties"), ("Ink", "135 cm", "Zip")}
UNMADE = {("Rust", size, "Zip") for size in AXES["Size"]} | {
    ("Mist", "135 cm", "Ties"),
    ("Mist", "135 cm", "Zip"),
}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def duvet(shelves: Shelves) -> Product:
    """A duvet cover in 100 of 108 combinations, three of them sold out."""
    product = _make("lin-duvet", "Lin duvet cover", AXES, shelves, without=UNMADE, empty=SOLD_OUT)
    assert product.variants.count() == 100
    return product


@pytest.fixture
def thread(shelves: Shelves) -> Product:
    """A thread in fifty numbers on two spools; number 7 is sold out, number 9 only on the large."""
    numbers = [f"No. {number}" for number in range(1, 51)]
    return _make(
        "thread", "Linen thread", {"Number": numbers, "Spool": ["50 m", "250 m"]}, shelves,
        without={("No. 9", "50 m")}, empty={("No. 7", "50 m")},
    )  # fmt: skip


def _make(
    slug: str, title: str, axes: dict[str, list[str]], shelves: Shelves, *, without: set, empty: set
) -> Product:
    product = ProductFactory(
        slug=slug, title=title, category=shelves.mug.category, seller=shelves.seller
    )
    values = {
        (name, label): OptionValueFactory(
            option=option, label=label, position=place, swatch=COLOURS.get(label, "")
        )
        for position, (name, labels) in enumerate(axes.items())
        for option in [OptionFactory(product=product, name=name, position=position)]
        for place, label in enumerate(labels)
    }
    for labels in combine(*axes.values()):
        if labels not in without:
            VariantFactory(
                product=product, sku="-".join(labels), label=" / ".join(labels),
                values=[values[pair] for pair in zip(axes, labels, strict=True)],
                stock=0 if labels in empty else 10,
            )  # fmt: skip
    index_all()
    return product


def choice(page: Page, axis: str, label: str) -> Locator:
    return page.get_by_role("group", name=axis).get_by_role("link", name=label)


def expect_chosen(page: Page, *labels: str) -> None:
    expect(page.locator(".option__picked")).to_have_text(list(labels))


def in_cart() -> str:
    return ProductVariant.objects.get(pk=CartItem.objects.get().variant_id).sku


def test_choosing_with_the_keyboard_alone(page: Page, duvet: Product) -> None:
    page.goto("/products/lin-duvet/")
    expect_chosen(page, "Sand", "135 cm", "Ties")
    keyboard = Keyboard(page)
    keyboard.tab_to("Skip to the content")
    keyboard.press("Enter")

    keyboard.tab_to("Moss")
    assert page.evaluate("document.activeElement.textContent").split() == ["Moss", "(sold", "out)"]
    keyboard.press("Enter")
    expect_chosen(page, "Moss", "135 cm", "Ties")
    expect(page.locator(".stock")).to_have_text("Sold out")
    expect(page.get_by_role("button", name="Add to cart")).to_have_count(0)
    expect(page.locator("#said")).to_contain_text("Moss / 135 cm / Ties: €24.00. Sold out")
    assert page.evaluate("document.activeElement.title") == "Moss"

    keyboard.tab_to("155 cm")
    keyboard.press("Enter")
    expect_chosen(page, "Moss", "155 cm", "Ties")
    keyboard.tab_to("Zip")
    keyboard.press("Enter")
    expect_chosen(page, "Moss", "155 cm", "Zip")
    keyboard.tab_to("Rust", key="Shift+Tab")
    keyboard.press("Enter")
    expect_chosen(page, "Rust", "155 cm", "Ties")
    assert page.url.endswith("?variant=Rust-155%20cm-Ties")

    keyboard.tab_to("Add to cart")
    keyboard.press("Enter")
    expect(page.get_by_role("link", name="Go to checkout")).to_be_visible()
    assert in_cart() == "Rust-155 cm-Ties"


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 900}])
def test_choosing_without_scripts(visit: Visit, duvet: Product, viewport: dict[str, int]) -> None:
    page = visit(java_script_enabled=False, viewport=viewport)
    page.goto("/products/lin-duvet/")

    choice(page, "Closure", "Zip").click()
    expect_chosen(page, "Sand", "135 cm", "Zip")
    expect(choice(page, "Colour", "Ink (sold out)")).to_be_visible()
    expect(choice(page, "Colour", "Rust (not made in Zip)")).to_be_visible()
    expect(choice(page, "Colour", "Mist (not made in 135 cm / Zip)")).to_have_count(0)
    expect(page.get_by_text("Crossed out: sold out.")).to_be_visible()
    choice(page, "Colour", "Ink").click()
    expect_chosen(page, "Ink", "135 cm", "Zip")
    expect(page.locator(".buy")).to_have_text("Sold out")
    choice(page, "Size", "240 cm").click()
    expect_chosen(page, "Ink", "240 cm", "Zip")
    page.get_by_role("button", name="Add to cart").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your cart")
    assert in_cart() == "Ink-240 cm-Zip"


def test_back_and_forward_lead_through_the_choices(page: Page, duvet: Product) -> None:
    page.goto("/products/lin-duvet/")
    choice(page, "Size", "200 cm").click()
    expect_chosen(page, "Sand", "200 cm", "Ties")
    choice(page, "Closure", "Buttons").click()
    expect_chosen(page, "Sand", "200 cm", "Buttons")

    page.go_back()
    expect_chosen(page, "Sand", "200 cm", "Ties")
    page.go_back()
    expect_chosen(page, "Sand", "135 cm", "Ties")
    page.go_forward()
    expect_chosen(page, "Sand", "200 cm", "Ties")


def test_among_fifty_with_the_keyboard_alone(page: Page, thread: Product) -> None:
    page.goto("/products/thread/")
    field = page.get_by_label("Number")
    expect(page.get_by_role("button", name="Show")).to_be_hidden()

    field.focus()
    page.keyboard.type("No. 12")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"variant=No\.(\+|%20)12-50"))
    expect(page.locator("#said")).to_contain_text("No. 12 / 50 m")
    expect(field).to_be_focused()
    expect(field.locator("option", has_text="(sold out)")).to_have_text("No. 7 (sold out)")
    expect(field.locator("option", has_text="(not made")).to_have_text("No. 9 (not made in 50 m)")


def test_among_fifty_without_scripts(visit: Visit, thread: Product) -> None:
    page = visit(java_script_enabled=False, viewport=PHONE)
    page.goto("/products/thread/")

    page.get_by_label("Number").select_option("No. 9 (not made in 50 m)")
    page.get_by_role("button", name="Show").click()
    expect_chosen(page, "250 m")
    expect(page.get_by_label("Number")).to_have_value("No. 9-250 m")
    page.get_by_role("button", name="Add to cart").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your cart")
    assert in_cart() == "No. 9-250 m"


def test_what_was_looked_at_is_shown_again_until_it_is_to_be_forgotten(
    page: Page, shelves: Shelves
) -> None:
    seen = page.locator("recently-viewed .card__title")
    page.goto("/products/dune-mug/")
    page.locator(".site-footer").scroll_into_view_if_needed()
    expect(seen).to_have_count(0)

    page.goto("/products/alm-board/")
    page.locator(".site-footer").scroll_into_view_if_needed()
    expect(seen).to_have_text(["Dune mug"])
    assert page.evaluate("localStorage.viewed") == f"{shelves.board.pk},{shelves.mug.pk}"
    assert page.context.cookies() == []

    page.get_by_role("button", name="Forget these").click()
    expect(seen).to_have_count(0)
    assert page.evaluate("localStorage.viewed") is None
