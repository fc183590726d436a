"""The seller sends the parcel from the admin; the shopper's page and mailbox tell of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from accounts.models import User
from orders.models import Order
from payments.simulator.running import Simulator
from shop.models import OutboxMessage
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.browser.shopper import answer_as_bank, expect_headline, go_to_provider
from tests.factories.accounts import SellerMemberFactory, StaffFactory
from tests.processes import MANAGE, running, wait_until
from tests.smtp_sink import SmtpSink

PASSWORD = "a long enough password"


@pytest.fixture
def relay(shop: Simulator, web: str, letterbox: SmtpSink) -> Iterator[None]:
    """The relay as its own process, which runs the tasks itself, because there is no broker."""
    with running(*MANAGE, "relay", EMAIL_URL=letterbox.url, SIMULATOR_URL=shop.url, SHOP_URL=web):
        yield
        wait_until(outbox_is_empty, "the outbox is worked off")


def outbox_is_empty() -> bool:
    return not OutboxMessage.objects.filter(done_at=None).exists()


def sign_in(page: Page, person: User) -> None:
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    page.goto("/admin/")
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()


def test_the_seller_ships_and_the_shopper_sees_it_and_gets_the_mail(
    page: Page, visit: Visit, shop: Simulator, shelves: Shelves, relay: None, letterbox: SmtpSink
) -> None:
    seller = SellerMemberFactory(seller=shelves.seller, role="owner").user
    staff = StaffFactory(is_superuser=True)
    go_to_provider(page, shop)
    answer_as_bank(page)
    expect_headline(page, "Thank you for your order")
    order = Order.objects.get()

    desk = visit()
    sign_in(desk, seller)
    desk.get_by_role("link", name="Orders").first.click()
    desk.get_by_role("link", name=order.number).first.click()
    desk.get_by_role("link", name="Mark as shipped").click()
    desk.get_by_role("button", name="Mark as shipped").click()
    expect(desk.get_by_text("This field is required").first).to_be_visible()
    desk.get_by_role("combobox", name="Carrier").select_option("DHL")
    desk.get_by_role("textbox", name="Tracking number").fill("JD014600006281230701")
    desk.get_by_role("button", name="Mark as shipped").click()
    expect(desk.get_by_role("link", name="JD014600006281230701")).to_be_visible()
    expect(desk.get_by_role("link", name="Mark as shipped")).to_have_count(0)

    page.reload()
    expect_headline(page, "Your order is on its way")
    expect(page.locator("[aria-current=step]")).to_contain_text("Shipped")
    parcel = page.get_by_role("link", name="JD014600006281230701")
    expect(parcel).to_have_attribute("href", re.compile("^https://.*JD014600006281230701"))
    wait_until(lambda: len(letterbox.mails) == 2, "the mail about the parcel arrives")

    office = visit()
    sign_in(office, staff)
    office.goto(f"/admin/orders/order/{order.pk}/change/")
    office.get_by_role("button", name="Mark as delivered").click()
    expect(office.get_by_role("button", name="Mark as delivered")).to_have_count(0)
    page.reload()
    expect_headline(page, "Your order has arrived")
    wait_until(lambda: len(letterbox.mails) == 3, "the last mail arrives")
    assert letterbox.subjects == [
        f"Your order {order.number} – Emporium",
        f"Order {order.number} is on its way – Emporium",
        f"Order {order.number} has arrived – Emporium",
    ]
    assert "JD014600006281230701" in letterbox.mails[1].get_body(("plain",)).get_content()
