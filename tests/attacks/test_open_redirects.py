"""Whoever follows a link to the shop's sign-in stays in the shop, wherever `next` points."""

from __future__ import annotations

from itertools import product
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

HOSTS = ["evil.example", "evil.example/", "evil.example:80", "testserver@evil.example"]
STARTS = [
    "//", "///", "////", "\\\\", "/\\", "\\/", "/\\/", "http://", "https://", "https:/", "https:",
    "hTTps://", " https://", "\thttps://", "\x00https://", "/\t/", "/%09/", "//%0d%0a",
]  # fmt: skip
OTHERS = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x",
    "vbscript:x", "mailto:a@b.example", "ftp://evil.example/", "//evil。example", "//evil%E3%80%82example",
    "//[::1]/", "//0x7f.1/", "https://testserver.evil.example/", "https://testserver%00.evil.example/",
    "https://testserver\\.evil.example/", "//testserver:80@evil.example/", "@evil.example",
]  # fmt: skip
TARGETS = [f"{start}{host}" for start, host in product(STARTS, HOSTS[:3])] + OTHERS


@pytest.fixture
def browser() -> Client:
    person = UserFactory(email="ada@example.com")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    browser = Client()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def leads_outside(location: str) -> bool:
    """Read an address as browsers do: backslashes are slashes, and control characters are nothing."""
    read = "".join(letter for letter in location if letter > " ").replace("\\", "/")
    parts = urlsplit(read)
    is_elsewhere = parts.netloc not in ("", "testserver") or read.startswith("//")
    return is_elsewhere or parts.scheme not in ("", "http", "https")


def test_the_test_knows_an_outside_when_it_sees_one() -> None:
    assert leads_outside("//evil.example")
    assert leads_outside("/\\evil.example")
    assert leads_outside("javascript:alert(1)")
    assert not leads_outside("/account/?next=//evil.example")


@pytest.mark.parametrize("page", ["/accounts/login/", "/accounts/signup/", "/accounts/logout/"])
def test_no_address_of_sixty_leads_outside(browser: Client, page: str) -> None:
    assert len(TARGETS) >= 60
    strayed = []
    for target in TARGETS:
        answers = [browser.get(page, {"next": target})]
        if page == "/accounts/login/":  # Somebody who is signed in is sent on at once.
            answers.append(browser.post(f"{page}?next=x", {"next": target}))
        led_to = [answer.headers.get("Location", "") for answer in answers]
        strayed += [(target, location) for location in led_to if leads_outside(location)]

    assert strayed == []


def test_who_signs_out_stays_in_the_shop(browser: Client) -> None:
    for target in ("//evil.example", "https://evil.example/", "/\\evil.example"):
        browser.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")

        answer = browser.post("/accounts/logout/", {"next": target})

        assert answer.status_code == 302
        assert not leads_outside(answer.headers["Location"])
