"""Catalogue pages are anybody's: a shared cache may keep them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from catalog.models import Product, ProductVariant
from tests.factories.accounts import UserFactory
from tests.factories.catalog import (
    AttributeValueFactory,
    BuyableProductFactory,
    CategoryFactory,
    ProductImageFactory,
)

pytestmark = pytest.mark.django_db

PAGES = [
    "/",
    "/categories/cups/",
    "/categories/cups/?colour=moss&sort=price",
    "/products/dune-mug/",
    "/search/?q=mug",
    "/search/",
    "/sellers/havre/",
    "/de/",
    "/de/categories/cups/",
]


@pytest.fixture(autouse=True)
def _a_language_of_its_own() -> Iterator[None]:
    yield
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def _a_shop() -> None:
    product = BuyableProductFactory(
        slug="dune-mug", seller__slug="havre", category=CategoryFactory(slug="cups")
    )
    ProductImageFactory(product=product)
    AttributeValueFactory(product=product)


@pytest.mark.parametrize("url", PAGES)
def test_same_bytes_for_everybody_and_no_cookie(client, url: str) -> None:
    signed_in = Client()
    signed_in.force_login(UserFactory())
    in_german = Client(headers={"accept-language": "de"})
    in_german.cookies["django_language"] = "de"

    first = client.get(url)
    others = [signed_in.get(url), in_german.get(url)]

    assert first.status_code == 200
    assert [other.content for other in others] == [first.content, first.content]
    for response in (first, *others):
        assert not response.cookies
        assert response.headers["Vary"] == "Accept-Encoding"
        assert response.headers["Cache-Control"] == (
            "public, max-age=0, s-maxage=1, stale-while-revalidate=1"
        )
        assert response.headers["X-Accel-Expires"] == "@1"
        assert response.headers["ETag"] == first.headers["ETag"]
    assert "csrfmiddlewaretoken" not in first.content.decode()


@pytest.mark.parametrize("url", PAGES)
def test_who_has_the_page_already_gets_no_body(client, url: str) -> None:
    etag = client.get(url).headers["ETag"]

    again = client.get(url, headers={"if-none-match": etag})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == etag
    assert again.headers["Cache-Control"].startswith("public")


def test_a_shop_may_let_others_keep_its_pages_for_longer(client, settings) -> None:
    settings.SHARED_CACHE_SECONDS = 60

    headers = client.get("/").headers

    assert headers["Cache-Control"] == "public, max-age=0, s-maxage=60, stale-while-revalidate=60"
    assert headers["X-Accel-Expires"] == "60"


def test_a_change_changes_the_etag(client) -> None:
    before = client.get("/categories/cups/").headers["ETag"]
    ProductVariant.objects.update(price=Decimal("25.00"))
    Product.objects.update(price_from=Decimal("25.00"), price_to=Decimal("25.00"))

    assert client.get("/categories/cups/").headers["ETag"] != before


def test_what_is_not_found_is_not_kept(client) -> None:
    response = client.get("/products/unknown/")

    assert response.status_code == 404
    assert "public" not in response.headers.get("Cache-Control", "")


@pytest.mark.parametrize("url", PAGES)
def test_pages_are_only_read(url: str) -> None:
    assert Client().post(url).status_code == 405


def test_addresses_keep_the_language(client) -> None:
    html = client.get("/de/categories/cups/").content.decode()

    assert 'href="/de/products/dune-mug/"' in html
    assert 'href="/products/dune-mug/"' not in html
