"""Wishlists: a guest saves, signs in and finds one list, and a friend reads it by its link."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from accounts.models import User
from cart.models import CartItem
from catalog.models import Wishlist, WishlistItem
from catalog.services import wishlists
from catalog.services.wishlists import Holder
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.browser.shopper import expect_headline
from tests.factories.accounts import UserFactory

PASSWORD = "a long enough password"


@pytest.fixture
def ada(shelves: Shelves) -> User:
    """Somebody who has saved the mug in moss before, on another device."""
    person = UserFactory(email="ada@example.com")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    wishlists.save(Holder(person.pk), variant_id=shelves.moss.pk)
    return person


def save(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Save for later").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_guests_list_is_merged_at_sign_in_and_shared(
    visit: Visit, shelves: Shelves, ada: User, scripts: bool
) -> None:
    page = visit(java_script_enabled=scripts)
    for address in ("/products/dune-mug/?variant=MUG-MOSS", "/products/alm-board/"):
        save(page, address)
        if scripts:
            expect(page.locator(".save")).to_contain_text("Saved in “Wishlist”.")
            expect(page.locator(".save")).to_be_focused()
        else:
            expect_headline(page, "Wishlist")
    page.goto("/wishlists/")
    expect(page.locator(".card__title")).to_have_text(["Alm board", "Dune mug"])

    # Ada has the mug already: it is there once, and the board has come along.
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_label("Email").fill(ada.email)
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    expect_headline(page, "Wishlist")
    expect(page.locator(".card__title")).to_have_text(["Alm board", "Dune mug"])
    assert Wishlist.objects.get().owner == ada

    page.get_by_text("Share this list").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link to this list").input_value()
    friend = visit(java_script_enabled=scripts)
    friend.goto(link)
    expect(friend.locator(".card__title")).to_have_text(["Alm board", "Dune mug"])
    expect(friend.get_by_role("button", name="Remove")).to_have_count(0)
    friend.get_by_role("button", name="Add to cart Alm board").click()
    expect_headline(friend, "Your cart")
    assert WishlistItem.objects.count() == 2

    page.get_by_role("button", name="Move to cart Dune mug").click()
    expect_headline(page, "Your cart")
    page.goto("/wishlists/")
    expect(page.locator(".card__title")).to_have_text(["Alm board"])
    assert CartItem.objects.filter(variant=shelves.moss).count() == 1

    page.get_by_role("button", name="Take the link back").click()
    friend.guard.expect(404)
    friend.goto(link)
    expect(friend).to_have_title(re.compile("not|Not"))


def test_a_thing_goes_to_another_list(page: Page, shelves: Shelves) -> None:
    save(page, "/products/dune-mug/?variant=MUG-MOSS")
    expect(page.locator(".save")).to_contain_text("Saved")
    page.goto("/wishlists/")
    page.get_by_text("Start another list").click()
    page.get_by_label("Name of the list").last.fill("For the new flat")
    page.get_by_role("button", name="Start the list").click()
    expect_headline(page, "For the new flat")
    page.get_by_role("link", name="Wishlist 1").click()

    page.get_by_text("To another list").click()
    page.get_by_role("button", name="For the new flat").click()
    page.get_by_role("link", name="For the new flat 1").click()

    expect(page.locator(".card__title")).to_have_text(["Dune mug"])
