"""A seller raises prices and counts shelves on one page of the admin."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import SellerMember
from catalog.models import ProductVariant
from tests.browser.shelves import Shelves
from tests.factories.accounts import SellerMemberFactory

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page: Page, shelves: Shelves, web: str) -> None:
    member = SellerMemberFactory(seller=shelves.seller, role=SellerMember.Role.OWNER)
    client = Client()
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": web}]
    )


def test_prices_are_raised_looked_at_and_saved(page: Page, shelves: Shelves, web: str) -> None:
    sign_in(page, shelves, web)
    rows = ProductVariant.objects.filter(product=shelves.mug).order_by("position")
    before = {row.sku: row.price for row in rows}
    ids = ",".join(str(row.pk) for row in rows)

    page.goto(f"/admin/catalog/product/prices-and-stock/?variants={ids}")
    page.get_by_label("Price", exact=True).select_option("raise by percent")
    page.get_by_label("Percent or amount").fill("5")
    page.get_by_label("Pieces of Dune mug – MUG-MOSS").fill("x")
    page.get_by_role("button", name="See what would change").click()
    fault = page.get_by_role("alert").get_by_role("link", name="Enter a whole number.")
    fault.click()
    expect(page.get_by_label("Pieces of Dune mug – MUG-MOSS")).to_be_focused()
    expect(page.get_by_label("Percent or amount")).to_have_value("5")

    page.get_by_label("Pieces of Dune mug – MUG-MOSS").fill("17")
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_text("Nothing is saved yet.")).to_be_visible()
    assert {row.sku: row.price for row in rows.all()} == before
    page.get_by_role("button", name="Save all of it").click()

    expect(page.get_by_text(f"{len(before)} variants are saved.")).to_be_visible()
    after = {row.sku: row.price for row in rows.all()}
    assert after == {
        sku: (price * Decimal("1.05")).quantize(Decimal("0.01")) for sku, price in before.items()
    }
    assert rows.get(sku="MUG-MOSS").stock_level.on_hand == 17
