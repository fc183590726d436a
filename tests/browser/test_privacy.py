"""One's own data: fetched, and erased, by somebody with a browser."""

from __future__ import annotations

import zipfile

from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from accounts.models import User
from payments.simulator.running import Simulator
from tests.browser.shopper import expect_headline
from tests.factories.accounts import UserFactory
from tests.outbox import deliver_outbox

EMAIL, PASSWORD = "ada@example.com", "a long enough password"


def test_somebody_fetches_a_copy_of_their_data_and_erases_their_account(
    page: Page, shop: Simulator
) -> None:
    person = UserFactory(email=EMAIL, name="Ada Lovelace")
    EmailAddress.objects.create(user=person, email=EMAIL, verified=True, primary=True)
    page.goto("/accounts/login/?next=/account/privacy/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Make a copy").click()
    expect_headline(page, "Is it you?")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your copy is being made.")).to_be_visible()
    deliver_outbox()
    page.goto("/account/privacy/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Fetch your copy").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "Ada Lovelace" in archive.read("index.html").decode()

    page.get_by_role("link", name="See what goes").click()
    expect_headline(page, "Erase your account")
    page.get_by_label("Your email, to be sure").fill("eve@example.com")
    page.get_by_role("button", name="Erase my account").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not the email of your account.")
    page.get_by_label("Your email, to be sure").fill(EMAIL)
    page.get_by_role("button", name="Erase my account").click()

    expect_headline(page, "Your account is erased")
    assert not User.objects.filter(email=EMAIL).exists()
    page.goto("/account/")
    expect_headline(page, "Sign in")
