"""Carts that meet at sign-in, and what was ordered as a guest, in a real browser."""

from __future__ import annotations

import re

from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from accounts.models import User
from orders.access import order_url
from orders.models import Order
from payments.simulator.running import Simulator
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.browser.shopper import answer_as_bank, expect_headline, go_to_provider, put_in_cart
from tests.factories.accounts import UserFactory
from tests.outbox import deliver_outbox

EMAIL, PASSWORD = "ada@example.com", "a long enough password"


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/account/")


def test_two_devices_share_one_cart_and_each_hears_of_the_other(
    page: Page, visit: Visit, shop: Simulator, shelves: Shelves
) -> None:
    user: User = UserFactory(email=EMAIL)
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    desk = visit()
    put_in_cart(page)
    put_in_cart(desk)
    put_in_cart(desk, "/products/alm-board/")
    sign_in(page)
    sign_in(desk)

    for device in (page, desk):
        device.goto("/cart/")
        expect(device.get_by_label("Quantity of Dune mug")).to_have_value("2")
        expect(device.get_by_label("Quantity of Alm board")).to_have_value("1")

    page.get_by_role("button", name="Remove Alm board").click()
    expect(
        page.locator("#cart").get_by_text("Alm board is no longer in your cart.")
    ).to_be_visible()
    mugs = desk.get_by_label("Quantity of Dune mug")
    mugs.fill("3")
    mugs.press("Tab")

    expect(desk.locator("#cart").get_by_text("so nothing was changed just now.")).to_be_visible()
    expect(desk.get_by_label("Quantity of Dune mug")).to_have_value("2")
    expect(desk.get_by_label("Quantity of Alm board")).to_have_count(0)


def test_a_guest_makes_an_account_with_a_password_and_takes_the_order_there(
    page: Page, visit: Visit, shop: Simulator, shelves: Shelves
) -> None:
    go_to_provider(page, shop)
    answer_as_bank(page)
    expect_headline(page, "Thank you for your order")
    page.get_by_label("Password").fill("difference engine 1842")

    page.get_by_role("button", name="Make my account").click()

    deliver_outbox()
    mailbox = page.context.new_page()
    mailbox.goto("/mailbox/")
    mailbox.get_by_role("link", name="code").first.click()
    code = re.search(r"\b[A-Z0-9]{4}-?[A-Z0-9]{2,4}\b", mailbox.locator(".mail__text").inner_text())
    assert code
    page.get_by_label("Code").fill(code[0])
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/account/")
    page.get_by_role("button", name="Take them into my account").click()
    expect(page.get_by_text("1 order is in your account now.")).to_be_visible()
    order = Order.objects.get()
    assert order.user == User.objects.get(email=EMAIL)
    expect(page.get_by_role("link", name=f"Order {order.number}")).to_be_visible()

    stranger = visit()
    stranger.goto(order_url(order.number, language="en"))
    expect(stranger.get_by_text(order.number).first).to_be_visible()
    expect(stranger.get_by_role("button", name="Take them into my account")).to_have_count(0)
