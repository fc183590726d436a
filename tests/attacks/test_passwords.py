"""Passwords that everybody tries are refused, long and odd ones are not; a reset opens no side door."""

from __future__ import annotations

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as one_time_codes
from django.test import Client

from accounts.models import User
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

COMMON = ["password", "12345678", "qwertyuiop", "iloveyou1", "sunshine", "short", "eve@example.com"]


@pytest.mark.parametrize("password", COMMON)
def test_a_password_that_everybody_tries_is_refused(password: str) -> None:
    Client().post("/accounts/signup/", {"email": "eve@example.com", "password1": password})

    assert not User.objects.filter(email="eve@example.com").exists()


@pytest.mark.parametrize(
    "password", ["x7 " * 40, "Füße über Äcker 水", "correct horse battery staple" * 4]
)
def test_a_long_or_odd_password_is_taken_as_it_is(password: str) -> None:
    Client().post("/accounts/signup/", {"email": "eve@example.com", "password1": password})

    assert User.objects.get(email="eve@example.com").check_password(password)


def test_a_password_alone_or_set_anew_does_not_get_past_the_second_factor() -> None:
    ada = UserFactory(email="ada@example.com")
    EmailAddress.objects.create(user=ada, email=ada.email, verified=True, primary=True)
    one_time_codes.TOTP.activate(ada, one_time_codes.generate_totp_secret())
    browser = Client()
    link = f"/accounts/password/reset/key/{user_pk_to_url_str(ada)}-"
    new = "an entirely new password"
    opened = browser.get(f"{link}{default_token_generator.make_token(ada)}/", follow=True)

    browser.post(opened.redirect_chain[-1][0], {"password1": new, "password2": new})
    answer = browser.post("/accounts/login/", {"login": ada.email, "password": new})

    ada.refresh_from_db()
    assert ada.check_password(new)
    assert Authenticator.objects.filter(user=ada, type="totp").exists()
    assert answer.headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert browser.get("/account/").status_code == 302
