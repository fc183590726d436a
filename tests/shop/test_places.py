"""A `next` leads to pages of the shop, whatever somebody writes into it."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from shop.places import is_own_place
from tests.factories.accounts import UserFactory

HOST = "shop.example"
ELSEWHERE = [
    "//evil.example", "///evil.example", "////evil.example", "https://evil.example",
    "http://evil.example", "HTTPS://EVIL.EXAMPLE", "https:evil.example", "https:/evil.example",
    "https:///evil.example", "http:///evil.example", "\\\\evil.example", "/\\evil.example",
    "\\/evil.example", "/\\/evil.example", "//\\evil.example", "/%5cevil.example",
    "/%5Cevil.example", "/%2fevil.example", "/%2Fevil.example", "%2f%2fevil.example",
    "/%252fevil.example", "/%255cevil.example", "/\tevil.example", "/\t/evil.example",
    "/\n/evil.example", "/\r/evil.example", "\t//evil.example", " //evil.example",
    "//evil.example ", "\x00//evil.example", "/\x00/evil.example", "\u00a0//evil.example",
    "/\u2028/evil.example", "\ufeff//evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)", "\x01javascript:alert(1)", "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)", "file:///etc/passwd", "ftp://shop.example/", "mailto:a@evil.example",
    "blob:https://shop.example/1", "about:blank", "//shop.example@evil.example",
    "https://shop.example@evil.example", "https://ada:pw@shop.example/",
    "https://shop.example.evil.example", "https://evil.example#shop.example",
    "https://evil.example?shop.example", "https://evil.example\\@shop.example",
    "https://shop.example:443@evil.example/", "http://shop.example%2eevil.example",
    "//evil%E3%80%82example", "//[::1]/", "//2130706433/", "https://[::ffff:7f00:1]/",
    "evil.example", "account/", "", "?next=//evil.example", "#", "/" + "a" * 2_001,
]  # fmt: skip
HERE = [
    "/", "/cart/", "/de/checkout/?change=1", "/search/?q=//evil.example", "/orders/AB/#status",
    "/search/?q=100%25", "https://shop.example/account/", "http://shop.example/cart/",
    "/products/caf%C3%A9/", "/search/?next=https://evil.example",
]  # fmt: skip


def test_there_are_enough_of_them() -> None:
    assert len(set(ELSEWHERE)) >= 60


@pytest.mark.parametrize("place", ELSEWHERE, ids=ascii)
def test_what_leads_elsewhere_is_none_of_ours(place: str) -> None:
    assert not is_own_place(place, host=HOST)


@pytest.mark.parametrize("place", HERE)
def test_what_leads_to_a_page_here_is(place: str) -> None:
    assert is_own_place(place, host=HOST)


@pytest.mark.parametrize("place", [None, 5, ["/"], b"/"])
def test_what_is_no_text_is_no_place(place: object) -> None:
    assert not is_own_place(place, host=HOST)


@pytest.mark.django_db
def test_whoever_signs_in_stays_in_the_shop() -> None:
    user = UserFactory(email="ada@example.com", password="a long enough password")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    signed_in = {"login": "ada@example.com", "password": "a long enough password"}

    def lead(place: str) -> str:
        answer = Client().post("/accounts/login/", signed_in | {"next": place})
        assert answer.status_code == 302
        return str(answer["Location"])

    assert {lead(place) for place in ELSEWHERE[:60:9]} == {"/account/"}
    assert lead("/cart/?a=1") == "/cart/?a=1"
