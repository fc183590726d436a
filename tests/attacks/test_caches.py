"""Nothing that a request says of itself gets into what others see, and nothing private into a cache."""

from __future__ import annotations

import pytest
from django.test import Client

from shop.page_cache.page import make_key
from tests.factories.accounts import UserFactory
from tests.factories.catalog import BuyableProductFactory, VariantFactory
from tests.factories.orders import place_order

pytestmark = pytest.mark.django_db

FORGED = {
    "X-Forwarded-Host": "evil.example",
    "X-Host": "evil.example",
    "X-Forwarded-Server": "evil.example",
    "X-Original-URL": "/admin/",
    "X-Rewrite-URL": "/admin/",
    "X-Forwarded-Prefix": "/evil",
    "X-HTTP-Method-Override": "POST",
    "Forwarded": "host=evil.example",
    "Origin": "https://evil.example",
    "Referer": "https://evil.example/",
}
DECEIVING = ["x.css", "x.js", ";x.css", "%2fx.css", "%0ax.css", "%00.css", "..%2fx.css", ".css"]


@pytest.mark.parametrize("path", ["/", "/products/dune-mug/", "/accounts/login/", "/nothing/"])
def test_a_page_is_the_same_whatever_the_request_says_of_its_host(path: str) -> None:
    BuyableProductFactory(slug="dune-mug")
    browser, forger = Client(), Client(headers=FORGED)

    plain, forged = browser.get(path), forger.get(path)

    assert forged.status_code == plain.status_code
    assert b"evil" not in forged.content
    assert "evil" not in str(forged.headers)
    if path.startswith(("/products", "/n")) or path == "/":
        assert forged.content == plain.content


def test_a_forged_host_is_refused_and_no_mail_carries_it(
    mailoutbox: list[object], django_capture_on_commit_callbacks: object
) -> None:
    UserFactory(email="ada@example.com")

    refused = Client().post(
        "/accounts/password/reset/", {"email": "ada@example.com"}, headers={"Host": "evil.example"}
    )

    assert refused.status_code == 400
    assert mailoutbox == []


@pytest.mark.parametrize("page", ["/account/", "/cart/", "/orders/{order}/", "/wishlists/"])
@pytest.mark.parametrize("ending", DECEIVING)
def test_a_private_page_is_not_to_be_had_under_the_name_of_a_file(page: str, ending: str) -> None:
    ada = UserFactory(email="ada@example.com", name="Ada Lovelace")
    order = place_order(VariantFactory(), user=ada)
    browser = Client()
    browser.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")

    answer = browser.get(page.format(order=order.number) + ending)

    assert answer.status_code in (301, 302, 400, 404)
    assert b"Lovelace" not in answer.content
    assert "public" not in answer.headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    "page", ["/account/", "/cart/", "/checkout/", "/orders/{order}/", "/wishlists/", "/cart/badge/"]
)
def test_a_private_page_is_kept_by_nobody(page: str) -> None:
    ada = UserFactory(email="ada@example.com")
    variant = VariantFactory()
    order = place_order(variant, user=ada)
    browser = Client()
    browser.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    browser.post("/cart/add/", {"variant": variant.pk})

    answer = browser.get(page.format(order=order.number))

    assert answer.status_code == 200
    kept = answer.headers["Cache-Control"]
    assert "public" not in kept
    assert "s-maxage" not in kept
    assert "no-store" in kept or "private" in kept


def test_a_page_is_kept_by_its_address_and_never_by_what_a_header_claims() -> None:
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "testserver",
        "SERVER_PORT": "80", "wsgi.url_scheme": "http", "HTTP_HOST": "testserver",
    }  # fmt: skip
    forged = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in FORGED.items()}

    assert make_key(environ | forged) == make_key(environ)
