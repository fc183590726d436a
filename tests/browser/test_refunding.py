"""Staff give a piece back in the admin: they see the amount first, the shopper sees it after."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from orders.models import Order, OrderRefund
from payments.simulator.running import Simulator
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.browser.shopper import answer_as_bank, expect_headline, go_to_provider
from tests.browser.test_shipping import sign_in
from tests.factories.accounts import StaffFactory


def test_staff_see_what_a_piece_is_worth_then_send_it_and_read_the_story(
    page: Page, visit: Visit, shop: Simulator, shelves: Shelves
) -> None:
    go_to_provider(page, shop)
    answer_as_bank(page)
    expect_headline(page, "Thank you for your order")
    order = Order.objects.get()
    line = order.lines.earliest("pk")
    office = visit()
    sign_in(office, StaffFactory(is_superuser=True))

    office.goto(f"/admin/orders/order/{order.pk}/change/")
    office.get_by_role("link", name="Refund", exact=False).last.click()
    office.get_by_label(f"Pieces of {line.title}").fill("1")
    office.get_by_role("textbox", name="Reason").fill("Cracked in the kiln")
    office.get_by_role("button", name="Work out the amount").click()
    expect(office.get_by_label(f"Pieces of {line.title}")).to_have_value("1")
    assert OrderRefund.objects.count() == 0
    office.get_by_role("button", name="Send €").click()
    expect(office.get_by_text("goes back; the shopper gets a mail.")).to_be_visible()

    page.reload()
    expect(page.get_by_role("heading", name="Refunds")).to_be_visible()
    expect(page.get_by_text(f"1 × {line.title}").first).to_be_visible()
    office.get_by_role("link", name="The whole story").click()
    expect(office.get_by_text("Cracked in the kiln").first).to_be_visible()
    office.get_by_text("Details").last.click()
