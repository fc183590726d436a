"""Sold out: ask to be told, say yes in the mail, be told once."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import transaction
from playwright.sync_api import Page, expect

from catalog.models import ProductVariant, RestockRequest
from catalog.services import stock
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.browser.shopper import expect_headline
from tests.browser.test_reviews import find_link
from tests.outbox import deliver_outbox
from tests.smtp_sink import SmtpSink

INK = "/products/dune-mug/?variant=MUG-INK"


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


def refill() -> None:
    with transaction.atomic():
        stock.count(ProductVariant.objects.get(sku="MUG-INK"), 4, reason="from the kiln")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_somebody_asks_for_the_mail_and_gets_it(
    visit: Visit, shelves: Shelves, letterbox: SmtpSink, scripts: bool
) -> None:
    page = visit(java_script_enabled=scripts)
    page.goto(INK)
    page.get_by_label("Tell me when it is back").fill("ada at home")
    page.get_by_role("button", name="Tell me").click()
    expect(page.locator(".field__error")).to_contain_text("Enter an email address")
    expect(page.get_by_label("Tell me when it is back")).to_have_value("ada at home")
    page.get_by_label("Tell me when it is back").fill("ada@example.com")
    page.get_by_role("button", name="Tell me").click()
    expect(page.get_by_role("main").get_by_text("We have sent you a link").or_(
        page.locator(".restock__sent")
    ).first).to_be_visible()  # fmt: skip
    deliver_outbox()

    page.goto(find_link(letterbox, "Shall we tell you", "/back-in-stock/"))
    expect_headline(page, "Shall we tell you when Dune mug is back?")
    page.get_by_role("button", name="Yes, tell me").click()
    expect_headline(page, "We tell you when Dune mug is back")
    assert len(letterbox.mails) == 1

    refill()
    deliver_outbox()
    page.goto(find_link(letterbox, "is back –", "/products/"))
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("link", name="Go to checkout")).to_be_visible()
    assert len(letterbox.mails) == 2


def test_the_request_is_taken_back_by_its_link(
    page: Page, shelves: Shelves, letterbox: SmtpSink
) -> None:
    page.goto(INK)
    page.get_by_label("Tell me when it is back").fill("ada@example.com")
    page.get_by_role("button", name="Tell me").click()
    expect(page.locator(".restock__sent")).to_be_focused()
    deliver_outbox()
    link = find_link(letterbox, "Shall we tell you", "/back-in-stock/")

    page.goto(link)
    page.get_by_role("button", name="No, forget my address").click()

    expect_headline(page, "Nothing is planned")
    assert RestockRequest.objects.count() == 0
