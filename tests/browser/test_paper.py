"""What comes out of a printer: one sheet for an order, in black on white, also by night."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from orders.access import make_key
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order

A4 = {"width": 794, "height": 1123}
ON_PAPER = """() => ({
  ground: getComputedStyle(document.body).backgroundColor,
  ink: getComputedStyle(document.body).color,
  shown: ["nav", "form", "dialog", ".button", ".steps", ".site-footer"]
    .filter((name) => [...document.querySelectorAll(name)].some((one) => one.checkVisibility())),
  headings: getComputedStyle(document.querySelector(".receipt__table thead")).display,
  breaks: getComputedStyle(document.querySelector(".receipt__table tr")).breakInside,
})"""


def print_order(page: Page, count: int) -> int:
    """Open an order of some positions, and return how many sheets it takes."""
    order = place_order(*[VariantFactory(stock=1) for _ in range(count)])
    page.goto(f"/orders/{order.number}/?key={make_key(order.number)}")
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))


@pytest.mark.parametrize(("positions", "sheets"), [(1, 1), (10, 1), (45, 3)])
def test_order_takes_few_sheets(
    visit: Visit, shelves: Shelves, positions: int, sheets: int
) -> None:
    assert print_order(visit(viewport=A4), positions) == sheets


def test_paper_is_white_and_shows_the_receipt_alone(visit: Visit, shelves: Shelves) -> None:
    page = visit(viewport=A4, color_scheme="dark")
    print_order(page, 2)

    page.emulate_media(media="print")

    assert page.evaluate(ON_PAPER) == {
        "ground": "rgb(255, 255, 255)", "ink": "rgb(0, 0, 0)", "shown": [],
        "headings": "table-header-group", "breaks": "avoid",
    }  # fmt: skip


def test_button_prints_and_is_not_there_without_scripts(visit: Visit, shelves: Shelves) -> None:
    page, plain = visit(), visit(java_script_enabled=False)
    page.add_init_script("window.print = () => { document.title = 'printed'; }")
    for one in (page, plain):
        print_order(one, 1)

    page.get_by_role("button", name="Print this page").click()

    assert page.title() == "printed"
    assert plain.get_by_role("button", name="Print this page").is_hidden()
