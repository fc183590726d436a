"""Whatever happens at the provider: one order, charged once or not at all, and said so."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from catalog.models import StockLevel
from orders.models import Order
from payments.models import PaymentTransaction
from payments.simulator.running import Simulator
from tests.browser.shelves import Shelves
from tests.browser.shopper import (
    answer_as_bank,
    expect_headline,
    expect_provider,
    fill_in_address,
    go_to_provider,
    put_in_cart,
)
from tests.outbox import deliver_outbox
from tests.smtp_sink import SmtpSink


def stock_of(shelves: Shelves) -> tuple[int, int]:
    level = StockLevel.objects.get(variant=shelves.moss)
    return level.on_hand, level.allocated


def test_a_declined_card_can_be_followed_by_a_good_one(
    page: Page, shop: Simulator, shelves: Shelves
) -> None:
    go_to_provider(page, shop)

    answer_as_bank(page, "Decline it")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was charged")
    assert stock_of(shelves) == (5, 1)
    answer_as_bank(page)

    expect_headline(page, "Thank you for your order")
    assert stock_of(shelves) == (4, 0)
    assert PaymentTransaction.objects.count() == 1


def test_the_bank_may_ask_who_is_paying(page: Page, shop: Simulator, shelves: Shelves) -> None:
    go_to_provider(page, shop)

    answer_as_bank(page, "Ask for 3-D Secure")
    expect_headline(page, "Is it you who is paying?")
    page.get_by_role("button", name="Fail the confirmation").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was charged")
    answer_as_bank(page, "Ask for 3-D Secure")
    page.get_by_role("button", name="Confirm the payment").click()

    expect_headline(page, "Thank you for your order")
    assert PaymentTransaction.objects.count() == 1


def test_who_turns_back_at_the_provider_can_pay_later(
    page: Page, shop: Simulator, shelves: Shelves
) -> None:
    go_to_provider(page, shop)

    page.get_by_role("button", name="Cancel and return").click()
    expect_headline(page, "Waiting for your payment")
    page.get_by_role("button", name="Pay €28.90").click()
    expect_provider(page, shop)
    answer_as_bank(page)

    expect_headline(page, "Thank you for your order")
    assert stock_of(shelves) == (4, 0)


def test_who_gives_the_order_up_has_everything_back_in_the_cart(
    page: Page, shop: Simulator, shelves: Shelves
) -> None:
    go_to_provider(page, shop)
    closed_page = page.url

    page.get_by_role("button", name="Cancel and return").click()
    page.get_by_role("button", name="Cancel this order").click()

    expect_headline(page, "Your cart")
    expect(page.get_by_role("status").first).to_contain_text("everything is back in your cart")
    expect(page.get_by_label("Quantity of Dune mug")).to_have_value("1")
    assert (Order.objects.get().stage, stock_of(shelves)) == ("Cancelled", (5, 0))
    page.goto(closed_page)
    expect_headline(page, "This payment page is closed")


@pytest.mark.parametrize("webhook", ["At once", "20 seconds late", "Twice", "Never"])
def test_the_end_is_the_same_whenever_the_webhook_comes(
    page: Page, shop: Simulator, shelves: Shelves, letterbox: SmtpSink, webhook: str
) -> None:
    go_to_provider(page, shop)

    answer_as_bank(page, webhook=webhook)
    expect_headline(page, "Thank you for your order")
    shop.advance(20)
    shop.wait_for_deliveries()
    deliver_outbox()

    order = Order.objects.get()
    assert (order.stage, order.payment_status) == ("Processing", "paid")
    assert PaymentTransaction.objects.count() == 1
    assert stock_of(shelves) == (4, 0)
    assert letterbox.subjects == [f"Your order {order.number} – Emporium"]


def test_the_page_waits_for_the_provider_and_changes_by_itself(
    page: Page, shop: Simulator, shelves: Shelves
) -> None:
    go_to_provider(page, shop)
    shop.add_fault("checkout.sessions.retrieve", "error_500_before")

    answer_as_bank(page)
    expect_headline(page, "Confirming your payment")
    expect(page.get_by_role("button", name="Pay")).to_have_count(0)
    assert Order.objects.get().stage == "Pending"
    page.evaluate("window.sameDocument = true")
    shop.wait_for_deliveries()
    deliver_outbox()

    expect_headline(page, "Thank you for your order")
    assert page.evaluate("window.sameDocument")


def test_back_after_paying_neither_orders_nor_charges_again(
    page: Page, shop: Simulator, shelves: Shelves
) -> None:
    go_to_provider(page, shop)
    answer_as_bank(page)
    expect_headline(page, "Thank you for your order")

    page.go_back()
    expect_headline(page, "€28.90 paid to Emporium")
    page.get_by_role("link", name="Return to Emporium").click()
    expect_headline(page, "Thank you for your order")
    page.goto("/checkout/")
    expect_headline(page, "Your cart")

    assert Order.objects.count() == 1
    assert PaymentTransaction.objects.count() == 1


def test_back_from_the_provider_leads_to_the_order_that_waits(
    page: Page, shop: Simulator, shelves: Shelves
) -> None:
    go_to_provider(page, shop)

    page.go_back()
    expect_headline(page, "Waiting for your payment")
    page.get_by_role("button", name="Pay €28.90").click()
    expect_provider(page, shop)

    assert Order.objects.count() == 1


def test_a_double_click_on_pay_makes_one_order(
    page: Page, shop: Simulator, shelves: Shelves
) -> None:
    put_in_cart(page)
    page.goto("/checkout/")
    fill_in_address(page)

    page.get_by_role("button", name="Pay €28.90").dblclick()

    expect_provider(page, shop)
    assert Order.objects.count() == 1
    assert stock_of(shelves) == (5, 1)


def test_two_tabs_make_one_order(page: Page, shop: Simulator, shelves: Shelves) -> None:
    put_in_cart(page)
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto("/checkout/")
        fill_in_address(tab)

    page.get_by_role("button", name="Pay €28.90").click()
    expect_provider(page, shop)
    other.get_by_role("button", name="Pay €28.90").click()
    expect(other).to_have_url(page.url)
    answer_as_bank(page)
    expect_headline(page, "Thank you for your order")
    other.reload()

    expect_headline(other, "€28.90 paid to Emporium")
    assert Order.objects.count() == 1
    assert stock_of(shelves) == (4, 0)


def test_a_stranger_does_not_see_the_order(
    page: Page, visit, shop: Simulator, shelves: Shelves, letterbox: SmtpSink
) -> None:
    go_to_provider(page, shop)
    answer_as_bank(page)
    expect_headline(page, "Thank you for your order")
    deliver_outbox()

    stranger = visit()
    stranger.guard.expect(404)
    assert stranger.goto(page.url).status == 404
    friend = visit()
    text = letterbox.mails[0].get_body(("plain",)).get_content()
    friend.goto(re.search(r"http\S+key=\S+", text)[0])

    expect_headline(friend, "Thank you for your order")
    assert friend.url == page.url
