"""Signing in with an account of another house, against a real OpenID provider on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from allauth.socialaccount.models import SocialAccount
from oidc_provider_mock import run_server_in_thread
from playwright.sync_api import Page, expect

from accounts.models import User
from payments.simulator.running import Simulator
from tests.browser.conftest import Visit
from tests.browser.shopper import expect_headline
from tests.processes import running_web

ADA = "ada@example.com"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def web(
    django_db_setup: None, _simulator_process: Simulator, media_folder: Path, issuer: str
) -> Iterator[str]:
    """A shop that offers to sign in there."""
    chosen = {
        "OIDC_ISSUER": issuer, "OIDC_NAME": "Guild", "OIDC_CLIENT_ID": "emporium",
        "OIDC_CLIENT_SECRET": "for this test alone", "MEDIA_ROOT": str(media_folder),
        "SIMULATOR_URL": _simulator_process.url, "SHOP_OFFLINE_PAGE": "false",
    }  # fmt: skip
    with running_web(**chosen) as address:
        yield address


def go_on_with_guild(page: Page, email: str) -> None:
    page.get_by_role("button", name="Go on with Guild").click()
    page.locator("input[name=sub]").fill(email)
    page.locator("button, input[type=submit]").first.click()


def test_a_stranger_comes_in_with_an_account_of_another_house(
    visit: Visit, web: str, issuer: str
) -> None:
    page = visit(java_script_enabled=False, origins={issuer})
    page.goto("/accounts/login/?next=/account/")
    go_on_with_guild(page, ADA)

    expect_headline(page, "One more thing")
    page.get_by_label("Email").fill(ADA)
    page.get_by_role("button", name="Make my account").click()

    expect_headline(page, "Enter the code")
    assert SocialAccount.objects.get().uid == ADA
    assert not User.objects.get().has_usable_password()


def test_an_address_at_another_house_opens_no_account_that_was_made_here(
    visit: Visit, web: str, issuer: str
) -> None:
    owner = User.objects.create_user(ADA, "difference engine 1842")
    owner.emailaddress_set.create(email=ADA, verified=True, primary=True)
    page = visit(origins={issuer})
    page.goto("/accounts/login/?next=/account/")

    go_on_with_guild(page, ADA)
    expect_headline(page, "One more thing")
    page.get_by_label("Email").fill(ADA)
    page.get_by_role("button", name="Make my account").click()

    # Nobody is told that there is such an account; its owner gets a mail.
    expect_headline(page, "Enter the code")
    assert not SocialAccount.objects.exists()
    page.goto("/account/")
    expect_headline(page, "Sign in")
    assert User.objects.count() == 1
    expect(page.get_by_role("button", name="Go on with Guild")).to_be_visible()
