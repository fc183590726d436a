"""A session belongs to whom it was given: none that a stranger chose, none that outlives its end."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from cart.models import CartItem
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough password"


@pytest.fixture
def ada() -> User:
    person = UserFactory(email="ada@example.com", name="Ada")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def sign_in(browser: Client) -> None:
    answer = browser.post("/accounts/login/", {"login": "ada@example.com", "password": PASSWORD})
    assert answer.status_code == 302


def key_of(browser: Client) -> str:
    return browser.cookies["sessionid"].value


def test_a_session_that_a_stranger_planted_is_not_the_one_that_is_signed_in(ada: User) -> None:
    attacker, victim = Client(), Client()
    attacker.post("/cart/add/", {"variant": VariantFactory().pk})
    victim.cookies["sessionid"] = key_of(attacker)

    sign_in(victim)

    assert key_of(victim) != key_of(attacker)
    assert attacker.get("/account/").status_code == 302
    assert victim.get("/account/").status_code == 200
    assert CartItem.objects.count() == 1


def test_a_key_that_nobody_was_given_begins_no_session(ada: User) -> None:
    browser = Client()
    browser.cookies["sessionid"] = "abcdefghijklmnopqrstuvwxyz012345"

    sign_in(browser)

    assert key_of(browser) != "abcdefghijklmnopqrstuvwxyz012345"
    assert not Session.objects.filter(pk="abcdefghijklmnopqrstuvwxyz012345").exists()


def test_after_signing_out_the_old_cookie_opens_nothing(ada: User) -> None:
    browser, thief = Client(), Client()
    sign_in(browser)
    thief.cookies["sessionid"] = key_of(browser)
    assert thief.get("/account/").status_code == 200

    browser.post("/accounts/logout/")

    assert thief.get("/account/").status_code == 302


@pytest.mark.parametrize("end", ["a new password", "switched off"])
def test_a_session_ends_with_the_password_and_with_the_account(ada: User, end: str) -> None:
    browser = Client()
    sign_in(browser)

    if end == "a new password":
        ada.set_password("another long password")
    else:
        ada.is_active = False
    ada.save()

    assert browser.get("/account/").status_code == 302
