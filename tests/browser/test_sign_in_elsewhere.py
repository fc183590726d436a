"""Signing in with an account of another house, against a real OpenID provider on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from allauth.socialaccount.models import SocialAccount
from oidc_provider_mock import User as Guildsman
from oidc_provider_mock import run_server_in_thread
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from payments.simulator.running import Simulator
from shop.models import Mail
from tests.browser.conftest import Visit
from tests.browser.shopper import expect_headline
from tests.processes import running_web

ADA, PASSWORD = "ada@example.com", "difference engine 1842"
SHY = "grace"
"""Somebody of whom the other house tells no address."""
ITS_STYLES = "https://cdn.jsdelivr.net"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A house that says of Ada that the address is hers, and of whoever else only a name."""
    ada = Guildsman(
        sub="ada", claims={"email": ADA, "email_verified": True, "name": "Ada Lovelace"}
    )
    with (
        pytest.MonkeyPatch.context() as patch,
        run_server_in_thread(user_claims=[ada, Guildsman(sub=SHY)]) as server,
    ):
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
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


def come(visit: Visit, issuer: str) -> Page:
    page = visit(java_script_enabled=False, origins={issuer, ITS_STYLES})

    def answer(route: Route) -> None:
        route.fulfill(body="", content_type="text/css")

    page.context.route(f"{ITS_STYLES}/**", answer)
    page.goto("/accounts/login/?next=/account/")
    return page


def go_on_with_guild(page: Page, name: str) -> None:
    page.get_by_role("button", name="Go on with Guild").click()
    page.locator("input[name=sub]").fill(name)
    page.get_by_role("button", name="Authorize").click()


def test_somebody_comes_in_with_an_account_of_another_house_and_comes_back(
    visit: Visit, web: str, issuer: str
) -> None:
    for _time in range(2):
        page = come(visit, issuer)
        go_on_with_guild(page, "ada")
        page.wait_for_url("**/account/")

    person = User.objects.get()
    assert (person.email, person.name) == (ADA, "Ada Lovelace")
    assert not person.has_usable_password()
    assert SocialAccount.objects.get().uid == "ada"


def test_an_address_that_nobody_vouches_for_is_asked_for_and_proven(
    visit: Visit, web: str, issuer: str
) -> None:
    page = come(visit, issuer)
    go_on_with_guild(page, SHY)

    expect_headline(page, "One more thing")
    page.get_by_label("Email").fill("grace@example.com")
    page.get_by_role("button", name="Make my account").click()

    expect_headline(page, "Enter the code")
    assert Mail.objects.get().recipient == "grace@example.com"
    page.goto("/account/")
    expect_headline(page, "Enter the code")


def test_an_address_at_another_house_opens_no_account_that_was_made_here(
    visit: Visit, web: str, issuer: str
) -> None:
    owner = User.objects.create_user(ADA, PASSWORD)
    owner.emailaddress_set.create(email=ADA, verified=True, primary=True)
    page = come(visit, issuer)

    go_on_with_guild(page, "ada")

    # Nobody is told that there is such an account; its owner gets a mail.
    expect_headline(page, "Enter the code")
    assert not SocialAccount.objects.exists()
    assert Mail.objects.get().kind == "account.email.account_already_exists"
    page.goto("/account/")
    expect_headline(page, "Enter the code")


def test_its_owner_adds_the_other_house_and_takes_it_off(
    visit: Visit, web: str, issuer: str
) -> None:
    owner = User.objects.create_user("ada@elsewhere.example", PASSWORD)
    owner.emailaddress_set.create(email=owner.email, verified=True, primary=True)
    page = come(visit, issuer)
    page.get_by_label("Email").fill(owner.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/account/")
    page.goto("/accounts/3rdparty/")
    go_on_with_guild(page, "ada")
    expect_headline(page, "Is it you?")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()

    expect(page.get_by_text("From now on you can sign in this way, too.")).to_be_visible()
    assert SocialAccount.objects.get().user == owner
    page.get_by_role("radio").check()
    page.get_by_role("button", name="Take it off").click()
    expect(page.get_by_text("You cannot sign in this way any more.")).to_be_visible()
    assert not SocialAccount.objects.exists()
    told = Mail.objects.filter(recipient=owner.email).order_by("pk")
    assert [mail.kind for mail in told] == [
        "accounts.account_connected",
        "accounts.account_disconnected",
    ]


def test_whoever_turns_back_there_is_told_that_nothing_happened(
    visit: Visit, web: str, issuer: str
) -> None:
    page = come(visit, issuer)
    page.guard.expect(401)
    page.get_by_role("button", name="Go on with Guild").click()

    page.get_by_role("button", name="Deny").click()

    expect_headline(page, "That did not work")
    page.get_by_role("link", name="Try again").click()
    expect_headline(page, "Sign in")
