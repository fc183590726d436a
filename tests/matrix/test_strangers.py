"""What a stranger gets at every address, and what nobody gets anywhere: a fault of the server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from cart.models import CartItem
from catalog.models import Wishlist
from shop.models import Mail, Page
from tests.factories.catalog import (
    BuyableProductFactory,
    CategoryFactory,
    CollectionFactory,
    ReviewFactory,
    VariantFactory,
)
from tests.factories.orders import make_cart, place_order
from tests.matrix.routes import ROWS, Row, list_routes

pytestmark = pytest.mark.django_db

LANGUAGES = ("", "/de")


@pytest.fixture
def places() -> dict[str, Any]:
    """Make one thing of each kind that an address can name."""
    category = CategoryFactory()
    product = BuyableProductFactory(title="Dune mug")
    make_cart(VariantFactory())
    mail = Mail.objects.create(
        kind="test", reference="1", recipient="ada@example.com", subject="Hi", text="Hi"
    )
    page, _ = Page.objects.get_or_create(
        slug="about-us", defaults={"title": "About", "body": "<p>Us</p>"}
    )
    return {
        "category": category.path,
        "product": product.slug,
        "id": product.pk,
        "collection": CollectionFactory().slug,
        "seller": product.seller.slug,
        "title": "mug",
        "page": page.slug,
        "mail": mail.pk,
        "order": place_order(VariantFactory()).number,
        "list": Wishlist.objects.create(share_key="a-shared-list").pk,
        "key": "a-shared-list",
        "review": ReviewFactory(product=product).pk,
        "item": CartItem.objects.earliest("id").pk,
    }


def test_every_route_has_a_row() -> None:
    assert sorted(list_routes()) == sorted(row.route for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.route or "home")
def test_a_stranger_gets_the_answer_in_the_table(row: Row, places: dict[str, Any]) -> None:
    path = row.path.format(**places)

    seen = Client(enforce_csrf_checks=True).get(path)
    sent = Client().post(path)
    headed = Client().head(path)

    assert (seen.status_code, sent.status_code) == (row.get, row.post)
    assert headed.status_code == row.get


# Posted to by forms of shared pages, which carry no token, by the provider,
WITHOUT_TOKEN = {
    *("cart/add/", "cart/items/<int:item_id>/", "payments/webhooks/stripe/"),
    "payments/webhooks/paypal/",
    *("reviews/<int:review_id>/helpful/", "back-in-stock/", "wishlists/save/"),
    "mails/<str:key>/",  # and by mail programs, whose one click has no cookie (RFC 8058)
}


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.route not in WITHOUT_TOKEN], ids=lambda row: row.route
)
def test_a_form_without_its_token_is_refused_everywhere_else(
    row: Row, places: dict[str, Any]
) -> None:
    answer = Client(enforce_csrf_checks=True).post(row.path.format(**places))

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.is_shared], ids=lambda row: row.route or "home"
)
def test_shared_pages_set_no_cookie_and_differ_for_nobody(row: Row, places: dict[str, Any]) -> None:
    path = row.path.format(**places)
    visitor = Client(headers={"Cookie": f"sessionid=nonsense; csrftoken={'a' * 32}"})

    plain, with_cookies = Client().get(path), visitor.get(path)

    assert not plain.cookies
    assert not with_cookies.cookies
    assert "Cookie" not in plain.headers.get("Vary", "")
    assert b"".join(plain) == b"".join(with_cookies)


@pytest.mark.parametrize("path", ["/", "/categories/{category}/", "/products/{product}/"])
def test_a_catalogue_page_is_the_same_for_somebody_with_a_cart(
    path: str, places: dict[str, Any]
) -> None:
    address = path.format(**places)
    shopper = Client()
    shopper.post("/cart/add/", {"variant": VariantFactory().pk})

    assert shopper.get(address).content == Client().get(address).content


def test_every_admin_address_sends_a_stranger_to_the_sign_in_page() -> None:
    open_to_all = {"admin/login/", "admin/logout/", "admin/jsi18n/"}
    stranger = Client()
    wrong = []
    for route in list_routes(inside="admin/"):
        path = "/" + re.sub(r"\(\?P<url>[^)]*\)\$?", "nonsense", re.sub(r"<[^>]*>", "1", route))
        answer = stranger.get(path)
        is_sent_away = answer.status_code == 302 and "/admin/login/" in answer.url
        if not is_sent_away and route not in open_to_all:
            wrong.append((path, answer.status_code))

    assert not wrong, wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_address_that_does_not_exist_is_told_in_the_shops_own_words(language: str) -> None:
    answer = Client().get(f"{language}/there-is-nothing-here/")

    assert answer.status_code == 404
    assert "Emporium" in answer.content.decode()
    assert not answer.cookies
