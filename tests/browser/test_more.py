"""A listing grows at its end, and a look at one of its products loses nothing of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves, fill_up

TABLEWARE = "/categories/table/tableware/"


@pytest.fixture
def three_pages(shelves: Shelves) -> Shelves:
    fill_up(shelves)
    fill_up(shelves)
    return shelves


def show_more(page: Page) -> None:
    page.get_by_role("link", name="Show more").press("Enter")


def test_more_cards_come_below_and_focus_goes_to_the_first_of_them(
    page: Page, three_pages: Shelves
) -> None:
    page.goto(TABLEWARE)
    expect(page.locator(".card")).to_have_count(24)

    show_more(page)

    expect(page.locator(".card")).to_have_count(48)
    expect(page.locator("#page-2 .card__link").first).to_be_focused()
    expect(page.locator(".pagination [aria-current]")).to_have_text("Page 2")

    show_more(page)

    expect(page.locator(".card")).to_have_count(50)
    expect(page.locator("#page-3 .card__link").first).to_be_focused()
    expect(page.get_by_role("link", name="Show more")).to_have_count(0)
    titles = page.locator(".card__link").evaluate_all("links => links.map((a) => a.href)")
    assert len(set(titles)) == 50


def test_back_from_a_product_finds_all_that_was_shown(page: Page, three_pages: Shelves) -> None:
    page.goto(TABLEWARE)
    show_more(page)
    expect(page.locator(".card")).to_have_count(48)
    card = page.locator("#page-2 .card__link").nth(5)
    card.scroll_into_view_if_needed()
    href, place = card.get_attribute("href"), page.evaluate("scrollY")

    card.click()
    page.wait_for_url(f"**{href}")
    page.go_back()

    expect(page.locator(".card")).to_have_count(48)
    page.wait_for_function("place => Math.abs(scrollY - place) <= 20", arg=place)
    expect(page.locator(f".card__link[href='{href}']")).to_be_in_viewport()


def test_without_scripts_more_is_a_longer_page(visit: Visit, three_pages: Shelves) -> None:
    page = visit(java_script_enabled=False)
    page.goto(TABLEWARE)

    page.get_by_role("link", name="Show more").click()

    expect(page.locator(".card")).to_have_count(48)
    expect(page.locator("#page-1 .card")).to_have_count(24)
