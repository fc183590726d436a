"""An account: made with a code from the mailbox, and the cart comes along."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from accounts.models import User
from payments.simulator.running import Simulator
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.browser.shopper import expect_headline, put_in_cart
from tests.outbox import deliver_outbox

EMAIL, PASSWORD = "ada@example.com", "difference engine 1842"


def test_signing_up_with_the_code_from_the_mailbox_keeps_the_cart(
    page: Page, visit: Visit, shop: Simulator, shelves: Shelves
) -> None:
    put_in_cart(page)
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make my account").click()
    deliver_outbox()
    mailbox = page.context.new_page()
    mailbox.goto("/mailbox/")
    mailbox.get_by_role("main").get_by_role("link").first.click()
    code = re.search(r"\b[A-Z0-9]{4}-?[A-Z0-9]{2,4}\b", mailbox.locator(".mail__text").inner_text())
    page.get_by_label("Code").fill(code[0])
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/")
    page.goto("/cart/")
    expect(page.get_by_label("Quantity of Dune mug")).to_have_value("1")

    elsewhere = visit()
    put_in_cart(elsewhere, "/products/alm-board/")
    elsewhere.goto("/accounts/login/")
    elsewhere.get_by_label("Email").fill(EMAIL)
    elsewhere.get_by_label("Password").fill(PASSWORD)
    elsewhere.get_by_role("main").get_by_role("button", name="Sign in").click()
    elsewhere.wait_for_url("**/")
    elsewhere.goto("/cart/")

    expect_headline(elsewhere, "Your cart")
    expect(elsewhere.get_by_label("Quantity of Dune mug")).to_have_value("1")
    expect(elsewhere.get_by_label("Quantity of Alm board")).to_have_value("1")
    assert User.objects.get().email == EMAIL
    elsewhere.goto("/checkout/")
    expect(elsewhere.get_by_label("Email")).to_have_value(EMAIL)


def test_a_password_can_be_looked_at_and_is_sent_hidden(
    page: Page, visit: Visit, shop: Simulator
) -> None:
    plain = visit(java_script_enabled=False)
    for one in (page, plain):
        one.goto("/accounts/login/")
        one.get_by_label("Password").fill(PASSWORD)
    show = page.get_by_role("button", name="Show the password")

    show.click()

    expect(page.get_by_label("Password")).to_have_attribute("type", "text")
    expect(show).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Password")).to_have_attribute("type", "password")
    expect(plain.get_by_role("button", name="Show the password")).to_be_hidden()
    expect(plain.get_by_label("Password")).to_have_attribute("type", "password")
