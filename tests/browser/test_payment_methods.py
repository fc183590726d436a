"""Another way to pay than by card: chosen by keyboard, without scripts, changed later, settled."""

from __future__ import annotations

import re

import pytest
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
    put_in_cart,
    sign_in,
)
from tests.factories.accounts import UserFactory

PHONE = {"viewport": {"width": 390, "height": 844}}
PLACE = "Order and pay €28.90"


def expect_transfer(page: Page) -> Order:
    """Expect the page that says how to transfer the money, and give its order."""
    expect_headline(page, "Waiting for your transfer")
    order = Order.objects.latest("pk")
    how = page.get_by_role("region", name="Bank transfer")
    expect(how).to_contain_text("€28.90")
    expect(how).to_contain_text(order.number)
    expect(how).to_contain_text("IBAN DE00 0000 0000 0000 0000 00")
    return order


def settle(visit: Visit, order: Order, web: str) -> None:
    """Let the shop's boss write down that the money came."""
    desk = visit()
    boss = UserFactory(is_staff=True, is_superuser=True)
    sign_in(desk, boss, web)
    desk.goto(f"/admin/orders/order/{order.pk}/change/")
    desk.get_by_role("link", name="The money has come").click()
    expect(desk.get_by_label("Amount")).to_have_value("28.90")
    desk.get_by_label("Reference").fill("SEPA 4711")
    desk.get_by_role("button", name="The money has come").click()
    expect(desk.get_by_text(f"Order {order.number} is paid")).to_be_visible()


def test_a_transfer_is_chosen_by_keyboard_and_paid_when_staff_say_so(
    page: Page, visit: Visit, shelves: Shelves, web: str
) -> None:
    put_in_cart(page)
    page.goto("/checkout/")
    fill_in_address(page)
    card = page.get_by_role("radio", name="Card or wallet")
    expect(card).to_be_checked()

    card.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="PayPal")).to_be_checked()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Bank transfer")).to_be_checked()
    page.get_by_role("button", name=PLACE).focus()
    page.keyboard.press("Enter")

    order = expect_transfer(page)
    settle(visit, order, web)
    page.reload()
    expect_headline(page, "Thank you for your order")
    expect(page.get_by_text("· Bank transfer")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_on_a_telephone_a_transfer_is_chosen_and_then_the_card_after_all(
    visit: Visit, shop: Simulator, shelves: Shelves, scripts: bool
) -> None:
    page = visit(java_script_enabled=scripts, **PHONE)
    put_in_cart(page)
    page.goto("/checkout/")
    fill_in_address(page)
    page.get_by_text("Bank transfer", exact=False).first.click()
    if not scripts:
        page.get_by_role("button", name="Update delivery and total").click()
        expect(page.get_by_role("radio", name="Bank transfer")).to_be_checked()
    page.get_by_role("button", name=PLACE).click()
    order = expect_transfer(page)

    page.get_by_role("button", name="Card or wallet").click()
    expect_provider(page, shop)
    answer_as_bank(page)

    expect_headline(page, "Thank you for your order")
    expect(page).to_have_url(re.compile(f"/orders/{order.number}/"))
    assert Order.objects.count() == 1


def test_delivery_may_change_and_the_way_to_pay_stays(page: Page, shelves: Shelves) -> None:
    put_in_cart(page)
    page.goto("/checkout/")
    page.get_by_role("radio", name="Bank transfer").check()

    page.get_by_label("Country").select_option("FR")

    expect(page.get_by_role("button", name="Order and pay €33.90")).to_be_visible()
    expect(page.get_by_role("radio", name="Bank transfer")).to_be_checked()
