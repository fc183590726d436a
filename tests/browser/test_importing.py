"""Staff bring a file of products: tried, looked at, then done for real."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from catalog.models import ImportRun, Product
from tests.browser.shelves import Shelves
from tests.factories.accounts import UserFactory
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db(transaction=True)

FILE = (
    b"Handle,Title,Category,SKU,Price,Stock\n"
    b"knop-vase,Knop vase,Table > Tableware,VASE,48.00,5\n"
    b"ash-tray,Ash tray,Table > Tableware,TRAY,lots,2\n"
    b"pebble-bowl,Pebble bowl,Table > Bowls,BOWL,29.00,3\n"
)


def sign_in(page: Page, web: str) -> None:
    client = Client()
    staff = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": web}]
    )


def test_file_is_tried_looked_at_and_brought_in(page: Page, shelves: Shelves, web: str) -> None:
    sign_in(page, web)
    before = Product.objects.count()

    page.goto("/admin/catalog/importrun/add/")
    page.get_by_label("Exported from").select_option(label="This shop's own CSV")
    page.get_by_role("button", name="See what would happen").click()
    page.get_by_role("alert").get_by_role("link", name="This field is required.").click()
    expect(page.get_by_label("Exported from")).to_have_value("emporium")

    page.locator("input[type=file]").set_input_files(
        {"name": "autumn.csv", "mimeType": "text/csv", "buffer": FILE}
    )
    page.get_by_role("button", name="See what would happen").click()
    expect(page.get_by_text("Waiting for its turn.")).to_be_visible()
    deliver_outbox()
    # The page looks again by itself.
    expect(page.get_by_text("This is what would happen.")).to_be_visible()
    expect(page.get_by_role("heading", name="1 row left out")).to_be_visible()
    row = page.get_by_role("row", name=re.compile("ash-tray"))
    expect(row).to_contain_text("“lots” is not a number; write it like 12.50.")
    assert Product.objects.count() == before

    page.get_by_role("button", name="Import now").click()
    expect(page.get_by_text("Waiting for its turn.")).to_be_visible()
    deliver_outbox()
    expect(page.get_by_role("heading", name="1 row left out")).to_be_visible()
    expect(page.get_by_text("This is what would happen.")).to_have_count(0)

    run = ImportRun.objects.get(is_rehearsal=False)
    assert (run.state, run.created, run.refused) == ("finished", 2, 1)
    vase = Product.objects.get(slug="knop-vase")
    assert (vase.category, vase.seller) == (shelves.mug.category, shelves.seller)
    page.goto("/products/knop-vase/")
    expect(page.get_by_role("heading", name="Knop vase")).to_be_visible()
