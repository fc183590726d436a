"""What pages tell machines: JSON-LD in the words of schema.org, links that look like something."""

from __future__ import annotations

import csv
import gzip
import json
import re
from decimal import Decimal
from functools import cache
from html import unescape
from typing import Any

import pytest
from django.test import Client

from catalog.gtin import read_gtin
from catalog.models import Product, ProductVariant, Review
from catalog.queries import structured_data
from shop.models import Page
from shop.richtext import shorten
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import (
    AttributeFactory,
    AttributeValueFactory,
    BuyableProductFactory,
    CategoryFactory,
    ProductFactory,
    ProductImageFactory,
    VariantFactory,
)
from tests.shared import naughty_strings, shared

BLOCK = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
ABOVE = {
    "AggregateOffer": "Offer",
    "AggregateRating": "Rating",
    "Brand": "Intangible",
    "BreadcrumbList": "ItemList",
    "CreativeWork": "Thing",
    "Intangible": "Thing",
    "ItemList": "Intangible",
    "ListItem": "Intangible",
    "Offer": "Intangible",
    "Organization": "Thing",
    "Person": "Thing",
    "Product": "Thing",
    "Rating": "Intangible",
    "Review": "CreativeWork",
    "WebSite": "CreativeWork",
}
"""The types we use with the one above each, as schema.org has them; its list is of properties."""
PLAIN = {"Text", "URL", "Number", "Integer", "Date", "DateTime", "Boolean"}


@cache
def read_properties() -> dict[str, tuple[set[str], set[str]]]:
    """Return of each property of schema.org the types that have it, and the types it takes."""
    path = shared("data/web/schemaorg-current-https-properties.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return {
            row["label"]: (_names(row["domainIncludes"]), _names(row["rangeIncludes"]))
            for row in csv.DictReader(file)
        }


def _names(cell: str) -> set[str]:
    return {url.rpartition("/")[2] for url in cell.split(", ") if url}


def list_types(name: str) -> set[str]:
    return {name} | (list_types(ABOVE[name]) if name in ABOVE else set())


def find_mistakes(thing: dict[str, Any], where: str = "") -> list[str]:
    """Name everything in a thing that schema.org does not know, or not there."""
    if set(thing) == {"@id"}:
        return []
    name = thing["@type"]
    here = f"{where}/{name}"
    mistakes = [] if name in ABOVE else [f"{here}: no type that we know"]
    for label, value in thing.items():
        if label.startswith("@"):
            continue
        known = read_properties().get(label)
        if known is None or not known[0] & list_types(name):
            mistakes.append(f"{here}.{label}: not of this type")
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                if set(each) != {"@id"} and not known[1] & list_types(each["@type"]):
                    mistakes.append(f"{here}.{label}: takes no {each['@type']}")
                mistakes += find_mistakes(each, f"{here}.{label}")
            elif each in ("", None) or (
                not known[1] & PLAIN and not str(each).startswith("https://schema.org/")
            ):
                mistakes.append(f"{here}.{label}: takes no {each!r}")
    return mistakes


def get_html(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def get_things(path: str) -> dict[str, dict[str, Any]]:
    """Return the things of a page's data block by their types."""
    (block,) = BLOCK.findall(get_html(path))
    data = json.loads(block)
    assert data["@context"] == "https://schema.org"
    return {thing["@type"]: thing for thing in data["@graph"]}


def read_meta(path: str) -> dict[str, str]:
    html = get_html(path)
    found = re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)"', html)
    return {name: unescape(content) for name, content in found}


def get_canonical(path: str) -> str:
    (found,) = re.findall(r'<link rel="canonical" href="([^"]*)">', get_html(path))
    return found


@pytest.fixture
def mug() -> Product:
    """A mug, small and large, with a photograph, in a category, made by Havre."""
    category = CategoryFactory(slug="cups", name="Cups", parent=CategoryFactory(slug="table"))
    product = ProductFactory(
        slug="mug", title="Mug", short_description="A mug for tea.", category=category,
        seller=SellerFactory(slug="havre", name="Havre"),
    )  # fmt: skip
    ProductImageFactory(product=product, alt="The mug")
    VariantFactory(
        product=product, sku="MUG/S", label="Small", price=Decimal("24"), stock=0,
        barcode="4006381333931",
    )  # fmt: skip
    VariantFactory(
        product=product, sku="MUG-L", label="Large", price=Decimal("30"), stock=2, position=1
    )
    return product


def review(product: Product, stars: int, **fields: Any) -> None:
    Review.objects.create(
        product=product, stars=stars, name="Ada", email=f"ada-{stars}@example.com",
        status="published", published_at="2026-05-04T12:00Z", **fields,
    )  # fmt: skip


@pytest.mark.django_db
def test_product_tells_what_it_is_and_what_its_variants_cost(mug: Product) -> None:
    things = get_things("/products/mug/?variant=MUG-L")

    product = things["Product"]
    shop = "http://127.0.0.1:8000"
    assert product == product | {
        "@id": f"{shop}/products/mug/#product",
        "name": "Mug",
        "url": f"{shop}/products/mug/",
        "description": "A mug for tea.",
        "brand": {"@type": "Brand", "name": "Havre"},
        "category": f"{mug.category.parent.name} > Cups",
    }
    assert product["image"][0].startswith(f"{shop}/media/pictures/")
    assert "aggregateRating" not in product
    offers = product["offers"]
    assert offers == offers | {
        "@type": "AggregateOffer",
        "lowPrice": "24.00",
        "highPrice": "30.00",
        "priceCurrency": "EUR",
        "offerCount": 2,
        "availability": "https://schema.org/InStock",
    }
    assert offers["offers"] == [
        {
            "@type": "Offer",
            "name": "Small",
            "sku": "MUG/S",
            "gtin": "4006381333931",
            "url": f"{shop}/products/mug/?variant=MUG%2FS",
            "price": "24.00",
            "priceCurrency": "EUR",
            "availability": "https://schema.org/OutOfStock",
            "itemCondition": "https://schema.org/NewCondition",
        },
        {
            "@type": "Offer",
            "name": "Large",
            "sku": "MUG-L",
            "url": f"{shop}/products/mug/?variant=MUG-L",
            "price": "30.00",
            "priceCurrency": "EUR",
            "availability": "https://schema.org/InStock",
            "itemCondition": "https://schema.org/NewCondition",
        },
    ]
    steps = things["BreadcrumbList"]["itemListElement"]
    assert [
        (step["position"], step["name"], step.get("item", {}).get("@id", "")) for step in steps
    ] == [
        (1, "Home", f"{shop}/"),
        (2, mug.category.parent.name, f"{shop}/categories/table/"),
        (3, "Cups", f"{shop}/categories/table/cups/"),
        (4, "Mug", ""),
    ]


@pytest.mark.django_db
@pytest.mark.breaks_invariants
def test_one_variant_is_one_offer_in_the_page_s_language(mug: Product) -> None:
    ProductVariant.objects.filter(sku="MUG-L").update(is_active=False)

    product = get_things("/de/products/mug/")["Product"]

    assert product["offers"]["@type"] == "Offer"
    assert product["offers"]["url"] == product["url"] == "http://127.0.0.1:8000/de/products/mug/"
    assert (product["sku"], product["gtin"]) == ("MUG/S", "4006381333931")
    assert product["offers"]["price"] == "24.00"


@pytest.mark.django_db
def test_brand_is_the_stated_one_before_the_maker(mug: Product) -> None:
    AttributeValueFactory(product=mug, attribute=AttributeFactory(code="brand"), text="Iittala")

    assert get_things("/products/mug/")["Product"]["brand"]["name"] == "Iittala"


@pytest.mark.django_db
@pytest.mark.breaks_invariants
def test_product_tells_what_people_say_of_it(mug: Product) -> None:
    review(mug, 5, title="Lovely", text="Keeps the tea warm.")
    review(mug, 4, title="", text="Fine.")
    Product.objects.update(rating=Decimal("4.5"), rating_count=2)

    product = get_things("/products/mug/")["Product"]

    rating = product["aggregateRating"]
    assert (Decimal(rating["ratingValue"]), rating["reviewCount"]) == (Decimal("4.5"), 2)
    assert {
        "@type": "Review",
        "name": "Lovely",
        "reviewBody": "Keeps the tea warm.",
        "author": {"@type": "Person", "name": "Ada"},
        "datePublished": "2026-05-04",
        "reviewRating": {"@type": "Rating", "ratingValue": 5, "bestRating": 5, "worstRating": 1},
    } in product["review"]
    assert find_mistakes(product) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/", "/products/mug/", "/products/other/", "/categories/table/cups/", "/de/"]
)
def test_schema_org_knows_every_word(mug: Product, path: str) -> None:
    BuyableProductFactory(slug="other", variant__barcode="4006381333931")

    things = get_things(path)

    assert things
    assert [mistake for thing in things.values() for mistake in find_mistakes(thing)] == []


def test_a_word_that_schema_org_does_not_know_is_found() -> None:
    wrong = {
        "@type": "Product",
        "name": "Mug",
        "colour": "moss",
        "offers": {"@type": "Offer", "price": "1", "ratingValue": 5},
        "brand": {"@type": "Rating"},
    }

    assert find_mistakes(wrong) == [
        "/Product.colour: not of this type",
        "/Product.offers/Offer.ratingValue: not of this type",
        "/Product.brand: takes no Rating",
    ]


def test_examples_of_schema_org_itself_pass_the_same_check() -> None:
    """The check knows the facts, or at least it does not refuse what their authors write."""
    examples = json.loads(shared("data/web/schemaorg-commerce-examples.json").read_text())
    properties = read_properties()

    words = set(re.findall(r'"([a-z][A-Za-z0-9]+)"\s*:', json.dumps(examples)))

    assert len(words & set(properties)) > 40


NASTY = ["</script><script>alert(1)</script>", "<!--<script>", "\u2028\u2029&amp;&lt;", '"}]}']


def test_no_text_breaks_out_of_the_data_block() -> None:
    for text in [*NASTY, *naughty_strings()]:
        block = structured_data.write([{"@type": "Product", "name": text}])

        assert not set(block) & set("<>&\u2028\u2029")
        assert json.loads(block)["@graph"] == [{"@type": "Product", "name": text}]


@pytest.mark.django_db
def test_no_product_breaks_out_of_the_data_block(mug: Product) -> None:
    Product.objects.update(title=NASTY[0], short_description="".join(NASTY))

    (block,) = BLOCK.findall(get_html("/products/mug/"))

    product = json.loads(block)["@graph"][0]
    assert (product["name"], product["description"]) == (NASTY[0], "".join(NASTY))


@pytest.mark.django_db
def test_a_shared_link_looks_like_the_product(mug: Product) -> None:
    meta = read_meta("/products/mug/?variant=MUG-L")

    shop = "http://127.0.0.1:8000"
    assert meta == meta | {
        "description": "A mug for tea.",
        "og:type": "product",
        "og:site_name": "Emporium",
        "og:title": "Mug",
        "og:description": "A mug for tea.",
        "og:url": f"{shop}/products/mug/",
        "og:image:alt": "The mug",
        "twitter:card": "summary_large_image",
        "product:price:amount": "30.00",
        "product:price:currency": "EUR",
    }
    assert meta["og:image"].startswith(f"{shop}/media/pictures/")
    assert get_canonical("/products/mug/?variant=MUG-L&utm_source=a") == f"{shop}/products/mug/"
    assert read_meta("/de/products/mug/")["product:price:amount"] == "30.00"


@pytest.mark.django_db
def test_words_for_search_engines_come_before_those_for_people(mug: Product) -> None:
    Product.objects.update(seo_title="Mugs by Havre", seo_description="Buy mugs.")
    mug.category.seo_title, mug.category.seo_description = "Cups & mugs", "All our cups."
    mug.category.save()

    product, category = get_html("/products/mug/"), get_html("/categories/table/cups/")

    assert "<title>Mugs by Havre – Emporium</title>" in product
    assert '<meta name="description" content="Buy mugs.">' in product
    assert '<h1 class="product__title">Mug</h1>' in product
    assert "<title>Cups &amp; mugs – Emporium</title>" in category
    assert '<meta name="description" content="All our cups.">' in category
    assert "<h1>Cups</h1>" in category


@pytest.mark.django_db
def test_without_a_short_description_the_long_one_is_cut(mug: Product) -> None:
    Product.objects.update(
        short_description="", description=f"<p>Thrown</p><p>by hand {'and again ' * 40}</p>"
    )

    words = read_meta("/products/mug/")["description"]

    assert words.startswith("Thrown by hand and again")
    assert words.endswith("…")
    assert len(words) <= 161


@pytest.mark.django_db
def test_only_the_plain_page_of_a_listing_is_to_be_indexed(mug: Product) -> None:
    plain = get_html("/categories/table/cups/")
    narrowed = get_html("/categories/table/cups/?price_min=1")

    assert 'rel="canonical"' in plain
    assert "noindex" not in plain
    assert '<meta name="robots" content="noindex">' in narrowed
    assert 'rel="canonical"' not in narrowed
    assert not BLOCK.findall(narrowed)


@pytest.mark.django_db
def test_other_pages_name_their_address_too(mug: Product) -> None:
    Page.objects.create(slug="about", title="About us", body="<p>Us</p>")

    shop = "http://127.0.0.1:8000"
    assert get_canonical("/?utm_source=a") == f"{shop}/"
    assert get_canonical("/de/") == f"{shop}/de/"
    assert get_canonical("/sellers/havre/") == f"{shop}/sellers/havre/"
    assert get_canonical("/pages/about/?x=1") == f"{shop}/pages/about/"
    assert read_meta("/pages/about/")["og:title"] == "About us"
    assert read_meta("/sellers/havre/")["og:title"] == "Havre"


@pytest.mark.parametrize(
    ("barcode", "gtin"),
    [
        ("4006381333931", "4006381333931"),
        ("400-6381 333931", "4006381333931"),
        ("036000291452", "036000291452"),
        ("96385074", "96385074"),
        ("04006381333931", "04006381333931"),
        ("4006381333932", ""),
        ("2000000000015", ""),
        ("0200000000013", ""),
        ("4006381", ""),
        ("４006381333931", ""),
        ("", ""),
        ("ABC", ""),
        ("0000000000000", ""),
    ],
)
def test_only_numbers_that_the_world_knows_are_gtins(barcode: str, gtin: str) -> None:
    assert read_gtin(barcode) == gtin


@pytest.mark.parametrize(
    ("text", "short"),
    [("A cup", "A cup"), ("A cup for tea", "A cup for…"), ("Donaudampfschiff", "Donaudampf…")],
)
def test_long_texts_are_cut_between_words(text: str, short: str) -> None:
    assert shorten(text, most=10) == short
