"""The admin's own scripts work under a policy that runs no text as code.

`guard` fails each of these tests on the first refused script or wrong expression.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.shelves import Shelves
from tests.browser.test_shipping import sign_in
from tests.factories.accounts import StaffFactory


@pytest.fixture
def office(page: Page, shelves: Shelves) -> Page:
    sign_in(page, StaffFactory(is_superuser=True))
    expect(page.locator("html:not([x-cloak]) #nav-sidebar-apps")).to_be_attached()  # Alpine runs.
    return page


def test_every_kind_of_page_loads_without_a_fault(office: Page, shelves: Shelves) -> None:
    mug = shelves.mug.pk
    for address in [
        "",
        "catalog/product/",
        f"catalog/product/{mug}/change/",
        f"catalog/product/{mug}/history/",
        f"catalog/product/{mug}/delete/",
        "catalog/product/add/",
        "catalog/category/",
        "orders/order/?status__exact=paid",
        "accounts/user/add/",
    ]:
        office.goto(f"/admin/{address}")
        expect(office.locator("body")).to_be_visible()


def test_the_menu_is_put_away_and_stays_away(office: Page) -> None:
    office.set_viewport_size({"width": 1440, "height": 900})
    menu = office.locator("#nav-sidebar")
    expect(menu).to_be_visible()
    office.get_by_text("dock_to_right").first.click()
    expect(menu).to_be_hidden()

    office.goto("/admin/catalog/product/")
    expect(menu).to_be_hidden()
    office.get_by_text("dock_to_right").first.click()
    expect(menu).to_be_visible()


def test_a_page_is_found_in_the_menu_by_its_name(office: Page) -> None:
    office.keyboard.press("t")
    field = office.get_by_role("searchbox")
    expect(field).to_be_focused()
    field.press_sequentially("categ")
    expect(office.locator("#search-results").get_by_text("Categories")).to_be_visible()
    field.press("Escape")
    expect(field).to_have_value("")


def test_a_form_is_sent_to_the_address_it_is_on(office: Page, shelves: Shelves) -> None:
    address = f"/admin/catalog/product/{shelves.mug.pk}/change/"
    office.goto(f"{address}?_changelist_filters=q%3Dmug")
    expect(office.locator("#product_form")).to_have_attribute(
        "action", f"{address}?_changelist_filters=q%3Dmug"
    )
    office.get_by_role("button", name="Save and continue editing").click()
    expect(office.get_by_text("was changed successfully")).to_be_visible()


def test_the_colours_are_chosen_and_kept(office: Page) -> None:
    office.set_viewport_size({"width": 1440, "height": 900})
    office.locator("[x-on\\:click='openUserLinks = !openUserLinks']").click()
    office.locator("[x-on\\:click=\"switchTheme('dark')\"]").click()
    expect(office.locator("html")).to_have_class(re.compile("dark"))
    office.reload()
    expect(office.locator("html")).to_have_class(re.compile("dark"))
