"""What search engines are told to read, and what not: sitemaps by their schemas, robots.txt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.robotparser import RobotFileParser

import pytest
from django.test import Client
from lxml import etree

from accounts.models import Seller
from catalog.models import Collection, Product
from catalog.queries import sitemaps
from shop.models import Page
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import BuyableProductFactory, CategoryFactory, ProductFactory
from tests.shared import shared

SHOP = "http://127.0.0.1:8000"
NAMES = {"s": sitemaps.NAMESPACE}


def get_document(path: str, schema: str) -> Any:
    """Return a sitemap that its schema finds valid."""
    answer = Client().get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    document = etree.fromstring(answer.content)
    rules = etree.XMLSchema(etree.parse(str(shared(f"data/web/{schema}.xsd"))))
    rules.assertValid(document)
    return document


def list_files() -> list[str]:
    index = get_document("/sitemap.xml", "siteindex")
    return [loc.removeprefix(SHOP) for loc in index.xpath("//s:loc/text()", namespaces=NAMES)]


def list_addresses(path: str) -> list[str]:
    document = get_document(path, "sitemap")
    return [loc.removeprefix(SHOP) for loc in document.xpath("//s:loc/text()", namespaces=NAMES)]


@pytest.mark.django_db
def test_an_empty_shop_has_a_front_page() -> None:
    Page.objects.all().delete()

    assert list_files() == ["/sitemaps/pages.xml"]
    assert list_addresses("/sitemaps/pages.xml") == ["/", "/de/"]
    assert Client().get("/sitemaps/categories.xml").status_code == 404


@pytest.mark.django_db
def test_every_kind_of_page_is_listed_in_every_language() -> None:
    Page.objects.all().delete()
    Page.objects.create(slug="about", title="About", body="")
    cups = CategoryFactory(slug="cups", parent=CategoryFactory(slug="table"))
    BuyableProductFactory(slug="mug", category=cups, seller=SellerFactory(slug="havre"))
    SellerFactory(slug="nothing-to-sell")
    Collection.objects.create(slug="gifts", name="Gifts", is_public=True)
    Collection.objects.create(slug="hidden", name="Hidden", is_public=False)

    files = list_files()
    listed = [address for file in files for address in list_addresses(file)]

    assert [file.rpartition("-")[0] or file for file in files] == [
        "/sitemaps/pages.xml",
        "/sitemaps/categories.xml",
        "/sitemaps/collections.xml",
        "/sitemaps/sellers.xml",
        "/sitemaps/products",
    ]
    places = [
        *("/", "/pages/about/", "/categories/table/", "/categories/table/cups/"),
        *("/collections/gifts/", "/sellers/havre/", "/products/mug/"),
    ]
    assert sorted(listed) == sorted([*places, *(f"/de{place}" for place in places)])
    assert {Client().get(address).status_code for address in listed} == {200}


@pytest.mark.django_db
def test_what_cannot_be_bought_is_not_listed() -> None:
    BuyableProductFactory(slug="mug")
    BuyableProductFactory(slug="draft", status=Product.Status.DRAFT)
    ProductFactory(slug="empty")
    gone = SellerFactory(status=Seller.Status.SUSPENDED)
    BuyableProductFactory(slug="gone", seller=gone)

    (file,) = [file for file in list_files() if "products" in file]

    assert list_addresses(file) == ["/products/mug/", "/de/products/mug/"]


@pytest.mark.django_db
def test_products_stand_in_files_by_their_ids_with_the_day_they_changed() -> None:
    changed_at = datetime(2026, 5, 4, 12, 30, 15, 999, tzinfo=UTC)
    for pk, slug in ((7, "mug"), (9_999, "cup"), (10_000, "bowl"), (45_000, "vase")):
        BuyableProductFactory(pk=pk, slug=slug)
    Product.objects.update(updated_at=changed_at)

    files = [file for file in list_files() if "products" in file]

    assert files == [f"/sitemaps/products-{number}.xml" for number in (0, 1, 4)]
    assert list_addresses(files[0]) == [
        *("/products/mug/", "/products/cup/", "/de/products/mug/", "/de/products/cup/")
    ]
    assert list_addresses(files[2]) == ["/products/vase/", "/de/products/vase/"]
    index = get_document("/sitemap.xml", "siteindex")
    assert (
        index.xpath("//s:lastmod/text()", namespaces=NAMES)[-3:]
        == ["2026-05-04T12:30:15+00:00"] * 3
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["products", "products-7", "products-x", "products-9999999999999999999", "users"]
)
def test_other_files_are_not_there(name: str) -> None:
    BuyableProductFactory(pk=7)

    assert Client().get(f"/sitemaps/{name}.xml").status_code == 404


@pytest.mark.django_db
def test_files_never_hold_more_than_is_allowed(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(sitemaps, "MOST_ADDRESSES", 6)
    for number in range(5):
        CategoryFactory(slug=f"c{number}")
        BuyableProductFactory(pk=1 + number, slug=f"p{number}")

    files = [file for file in list_files() if "products" in file]

    assert files == ["/sitemaps/products-0.xml", "/sitemaps/products-1.xml"]
    assert [len(list_addresses(file)) for file in files] == [4, 6]
    assert len(list_addresses("/sitemaps/categories.xml")) == 6


@pytest.mark.django_db
@pytest.mark.parametrize("many", [1, 7])
def test_one_statement_a_file_however_many_pages(django_assert_num_queries: Any, many: int) -> None:
    for number in range(many):
        BuyableProductFactory(pk=1 + number)
    Client().get("/sitemaps/products-0.xml")

    with django_assert_num_queries(1):
        Client().get("/sitemaps/products-0.xml")
    with django_assert_num_queries(5):
        Client().get("/sitemap.xml")


@pytest.fixture
def robots() -> RobotFileParser:
    """What a robot makes of the file. The parser of the standard library knows no wildcards."""
    parser = RobotFileParser()
    text = Client().get("/robots.txt").content.decode()
    parser.parse([line for line in text.splitlines() if "*?" not in line])
    return parser


def test_robots_are_told_where_the_pages_are() -> None:
    answer = Client().get("/robots.txt")

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert f"\nSitemap: {SHOP}/sitemap.xml\n" in answer.content.decode()


@pytest.mark.parametrize("prefix", ["", "/de"])
def test_robots_stay_away_from_what_is_for_people_alone(
    robots: RobotFileParser, prefix: str
) -> None:
    for path in ("/", "/products/mug/?variant=M", "/categories/table/", "/pages/about/"):
        assert robots.can_fetch("Googlebot", SHOP + prefix + path)
    for path in ("/cart/", "/checkout/", "/orders/ABC/", "/accounts/login/", "/search/?q=mug"):
        assert not robots.can_fetch("Googlebot", SHOP + prefix + path)
    assert not robots.can_fetch("Googlebot", f"{SHOP}/admin/")


def test_robots_read_a_listing_by_pages_and_not_by_filters() -> None:
    lines = Client().get("/robots.txt").content.decode().splitlines()

    for place in ("/categories", "/de/categories", "/sellers", "/de/collections"):
        assert f"Disallow: {place}/*?" in lines
        assert f"Allow: {place}/*?page=" in lines
