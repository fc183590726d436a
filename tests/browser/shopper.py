"""What a shopper does on the pages, in the words that they see."""

from __future__ import annotations

import re

from allauth.mfa.totp.internal import auth as one_time_codes
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User
from payments.simulator.running import Simulator

ADA = {
    "Email": "ada@example.com",
    "Full name": "Ada Lovelace",
    "Street and house number": "Unter den Linden 1",
    "Postcode": "10117",
    "City": "Berlin",
}


def put_in_cart(page: Page, address: str = "/products/dune-mug/?variant=MUG-MOSS") -> None:
    page.goto(address)
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("link", name="Go to checkout")).to_be_visible()


def fill_in_address(page: Page) -> None:
    for label, text in ADA.items():
        page.get_by_label(label, exact=False).first.fill(text)


def go_to_provider(page: Page, simulator: Simulator) -> None:
    """Put a mug into the cart and go on until the provider asks for the money."""
    put_in_cart(page)
    page.goto("/checkout/")
    fill_in_address(page)
    page.get_by_role("button", name="Pay €28.90").click()
    expect_provider(page, simulator)


def expect_provider(page: Page, simulator: Simulator) -> None:
    expect(page).to_have_url(re.compile(re.escape(simulator.url) + "/pay/cs_test_"))


def answer_as_bank(page: Page, choice: str = "Approve it", *, webhook: str = "At once") -> None:
    page.get_by_label(choice).check()
    page.get_by_label(webhook, exact=True).check()
    page.get_by_role("button", name="Pay €").click()


def expect_headline(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def sign_in(page: Page, person: User, web: str) -> None:
    """Sign somebody in without the way through the form."""
    browser = Client()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    [cookie] = browser.cookies.values()
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": web}])


def code_of_app(secret: str, *, later: int = 0) -> str:
    """Return what an authenticator app shows now, or so many half minutes later."""
    counter = list(one_time_codes.yield_hotp_counters_from_time())[1] + later
    return one_time_codes.format_hotp_value(one_time_codes.hotp_value(secret, counter))
