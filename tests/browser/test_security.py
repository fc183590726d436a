"""Second factors in a real browser: passkeys of a virtual authenticator, an app's codes, devices."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from accounts.models import User
from payments.simulator.running import Simulator
from tests.browser.conftest import Visit
from tests.browser.shopper import code_of_app, expect_headline, sign_in

EMAIL, PASSWORD = "ada@example.com", "difference engine 1842"


@pytest.fixture
def ada(shop: Simulator) -> User:
    user = User.objects.create_user(EMAIL, PASSWORD)
    user.emailaddress_set.create(email=EMAIL, verified=True, primary=True)
    return user


@pytest.fixture
def local(web: str) -> str:
    """The shop under the name that browsers take for a safe origin."""
    return web.replace("127.0.0.1", "localhost")


def give_password(page: Page) -> None:
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()


def confirm_password(page: Page) -> None:
    expect_headline(page, "Is it you?")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def have_authenticator(page: Page) -> Any:
    """Plug in a device that knows its owner by the finger."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
                "hasUserVerification": True, "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )  # fmt: skip
    return session


def test_a_passkey_is_added_and_lets_its_owner_in(visit: Visit, local: str, ada: User) -> None:
    page = visit(base_url=local, origins={local})
    have_authenticator(page)
    page.goto("/accounts/login/?next=/accounts/2fa/")
    give_password(page)
    page.get_by_role("link", name="Add a passkey").click()
    confirm_password(page)
    page.get_by_label("Name").fill("Ada's telephone")
    page.get_by_role("button", name="Add the passkey").click()
    expect_headline(page, "Recovery codes")
    page.goto("/accounts/2fa/webauthn/")
    expect(page.get_by_role("heading", name="Ada's telephone")).to_be_visible()

    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/account/")
    page.get_by_role("button", name="Sign in with a passkey").click()

    page.wait_for_url("**/account/")
    assert Authenticator.objects.filter(user=ada, type="webauthn").count() == 1


def test_an_app_is_set_up_and_asked_for(visit: Visit, web: str, ada: User) -> None:
    page = visit(java_script_enabled=False)
    page.goto("/accounts/login/?next=/accounts/2fa/")
    give_password(page)
    page.get_by_role("link", name="Set up an app").click()
    confirm_password(page)
    secret = page.locator(".account__key").inner_text()
    page.get_by_label("code", exact=False).fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("alert")).to_contain_text("This code is not right")
    page.get_by_label("code", exact=False).fill(code_of_app(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect_headline(page, "Recovery codes")
    recovery = page.locator(".account__codes code").first.inner_text()
    stored = Authenticator.objects.get(user=ada, type="totp").data["secret"]
    assert secret not in stored

    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/account/")
    give_password(page)
    expect_headline(page, "One more step")
    page.get_by_label("Code").fill(code_of_app(secret, later=1))
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/account/")

    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/account/")
    give_password(page)
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/account/")


def test_whoever_found_the_device_open_is_asked_for_the_password(
    visit: Visit, web: str, ada: User
) -> None:
    page = visit()
    sign_in(page, ada, web)
    page.goto("/accounts/2fa/totp/activate/")

    confirm_password(page)

    expect_headline(page, "Set up an authenticator app")


def test_other_devices_are_signed_out(visit: Visit, web: str, ada: User) -> None:
    here, there = visit(), visit()
    for page in (here, there):
        page.goto("/accounts/login/?next=/accounts/sessions/")
        give_password(page)
        expect_headline(page, "Where you are signed in")

    here.reload()
    expect(here.get_by_text("Chrome on Linux")).to_have_count(2)
    here.get_by_role("button", name="Sign out everywhere else").click()

    expect(here.get_by_text("You are signed out everywhere else.")).to_be_visible()
    there.goto("/account/")
    expect_headline(there, "Sign in")
