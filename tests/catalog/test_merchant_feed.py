"""The feed of Google's Merchant Center, by the fields that Google documents.

https://support.google.com/merchants/answer/7052112
"""

from __future__ import annotations

import gzip
import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import Client
from lxml import etree

from accounts.models import Seller
from catalog.models import Product, ProductVariant
from catalog.queries import feed
from catalog.views import feed as view
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import (
    AttributeFactory,
    AttributeValueFactory,
    BuyableProductFactory,
    CategoryFactory,
    OptionFactory,
    OptionValueFactory,
    ProductFactory,
    ProductImageFactory,
    VariantFactory,
)
from tests.shared import naughty_strings

pytestmark = pytest.mark.django_db

G = "{http://base.google.com/ns/1.0}"
SHOP = "http://127.0.0.1:8000"
AMOUNT = r"\d+\.\d\d [A-Z]{3}"
DOCUMENTED = {
    "id": r".{1,50}",
    "title": r".{1,150}",
    "description": r"(?s).{1,5000}",
    "link": r"https?://[\x21-\x7e]{1,2000}",
    "image_link": r"https?://[\x21-\x7e]{1,2000}\.(jpg|jpeg|png|gif|webp)",
    "additional_image_link": r"https?://[\x21-\x7e]{1,2000}\.(jpg|jpeg|png|gif|webp)",
    "availability": r"in_stock|out_of_stock|preorder|backorder",
    "price": AMOUNT,
    "sale_price": AMOUNT,
    "brand": r".{1,70}",
    "gtin": r"\d{8}|\d{12,14}",
    "mpn": r".{1,70}",
    "identifier_exists": r"yes|no",
    "condition": r"new|refurbished|used",
    "item_group_id": r"[A-Za-z0-9_-]{1,50}",
    "color": r".{1,100}",
    "size": r".{1,100}",
    "material": r".{1,200}",
    "pattern": r".{1,100}",
    "product_type": r".{1,750}",
    "shipping_weight": r"\d+ (g|kg|lb|oz)",
}
REQUIRED = {
    *("id", "title", "description", "link", "image_link", "availability", "price", "brand"),
    "condition",
}


def get_items() -> list[dict[str, Any]]:
    """Return the items of the feed, each field checked against what Google says of it."""
    answer = Client().get("/feeds/google.xml")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    channel = etree.fromstring(b"".join(answer)).find("channel")
    assert [channel.findtext(name) for name in ("title", "link")] == ["Emporium", f"{SHOP}/"]
    assert channel.findtext("description")
    items = []
    for element in channel.findall("item"):
        item: dict[str, Any] = {}
        for field in element:
            name = field.tag.removeprefix(G)
            assert field.tag == G + name
            assert re.fullmatch(DOCUMENTED[name], field.text), (name, field.text)
            if name == "additional_image_link":
                item.setdefault(name, []).append(field.text)
            else:
                assert name not in item
                item[name] = field.text
        assert set(item) >= REQUIRED
        items.append(item)
    assert len({item["id"] for item in items}) == len(items)
    return items


def go_away(answer: Any) -> None:
    """Close an answer unread, as a server does whose client hung up; the test keeps its database."""
    request_finished.disconnect(close_old_connections)
    answer.close()
    request_finished.connect(close_old_connections)


@pytest.fixture
def mug() -> Product:
    """A mug, moss and sand, with two photographs, of which moss has one of its own."""
    cups = CategoryFactory(
        slug="cups", name="Cups & mugs", parent=CategoryFactory(slug="table", name="Table")
    )
    product = ProductFactory(
        slug="mug", title="Dune mug", short_description="A mug for tea.",
        description="<p>Thrown by <b>hand</b>.</p>", category=cups,
        seller=SellerFactory(name="Havre"),
    )  # fmt: skip
    ProductImageFactory(product=product, asset__base="pictures/front")
    moss_photo = ProductImageFactory(product=product, asset__base="pictures/moss", position=1)
    glaze = OptionFactory(product=product, name="Glaze")
    moss = OptionValueFactory(option=glaze, label="Moss")
    sand = OptionValueFactory(option=glaze, label="Sand")
    VariantFactory(
        product=product, sku="MUG MOSS", label="Moss", values=[moss], image=moss_photo,
        price=Decimal("24"), compare_at_price=Decimal("30"), weight_grams=420,
        barcode="4006381333931",
    )  # fmt: skip
    VariantFactory(
        product=product, sku="MUG-SAND", label="Sand", values=[sand], stock=0, position=1,
        compare_at_price=Decimal("24"),
    )  # fmt: skip
    AttributeValueFactory(product=product, attribute=AttributeFactory(code="material"), text="Clay")
    return product


def test_each_variant_is_an_item_with_all_that_is_known_of_it(mug: Product) -> None:
    moss, sand = get_items()

    assert moss == {
        "id": "MUG MOSS",
        "title": "Dune mug – Moss",
        "description": "A mug for tea. Thrown by hand.",
        "link": f"{SHOP}/products/mug/?variant=MUG%20MOSS",
        "image_link": f"{SHOP}/media/pictures/moss-800.jpg",
        "additional_image_link": [f"{SHOP}/media/pictures/front-800.jpg"],
        "availability": "in_stock",
        "price": "30.00 EUR",
        "sale_price": "24.00 EUR",
        "brand": "Havre",
        "gtin": "4006381333931",
        "condition": "new",
        "item_group_id": f"product-{mug.pk}",
        "product_type": "Table > Cups & mugs",
        "shipping_weight": "420 g",
        "color": "Moss",
        "material": "Clay",
    }
    assert (sand["availability"], sand["price"], sand["color"]) == (
        "out_of_stock", "24.00 EUR", "Sand",
    )  # fmt: skip
    assert sand["identifier_exists"] == "no"
    assert "sale_price" not in sand
    assert "shipping_weight" not in sand


def test_a_product_of_one_variant_stands_for_itself() -> None:
    product = BuyableProductFactory(slug="vase", title="Vase", variant__sku="VASE")
    ProductImageFactory(product=product)
    AttributeValueFactory(product=product, attribute=AttributeFactory(code="brand"), text="Iittala")
    AttributeValueFactory(product=product, attribute=AttributeFactory(code="mpn"), text="X-1")

    (item,) = get_items()

    assert (item["title"], item["link"]) == ("Vase", f"{SHOP}/products/vase/")
    assert (item["brand"], item["mpn"]) == ("Iittala", "X-1")
    assert item["description"] == "Vase"
    assert not {"item_group_id", "identifier_exists", "gtin"} & set(item)


def test_what_google_would_refuse_is_left_out(mug: Product) -> None:
    BuyableProductFactory(title="No photograph")
    free = BuyableProductFactory(variant__price=Decimal(0))
    ProductImageFactory(product=free)
    draft = BuyableProductFactory(status=Product.Status.DRAFT)
    ProductImageFactory(product=draft)
    gone = BuyableProductFactory(seller=SellerFactory(status=Seller.Status.SUSPENDED))
    ProductImageFactory(product=gone)
    ProductVariant.objects.filter(sku="MUG-SAND").update(is_active=False)

    assert [item["id"] for item in get_items()] == ["MUG MOSS"]


def test_long_texts_are_cut_and_long_skus_replaced(mug: Product) -> None:
    Product.objects.update(title="Mug " * 60, description=f"<p>{'Long ' * 2000}</p>")
    ProductVariant.objects.filter(sku="MUG-SAND").update(sku="S" * 80)

    _moss, sand = get_items()

    variant = ProductVariant.objects.get(sku="S" * 80)
    assert sand["id"] == f"variant-{variant.pk}"
    assert sand["link"].endswith("S" * 80)
    assert len(sand["title"]) <= 150
    assert 4900 < len(sand["description"]) <= 5000


def test_no_text_breaks_the_xml(mug: Product) -> None:
    nasty = ["]]></title><item>", "a\x0bb\x1fc", "\ufffe\uffff", *naughty_strings()]
    text = " ".join(word.replace("\0", "") for word in nasty)
    Product.objects.update(title=text[:250], short_description=text[:400], description="")

    moss, _sand = get_items()

    assert moss["title"].startswith("]]></title><item> a b c")


def test_all_batches_are_sent(mug: Product, monkeypatch: Any) -> None:
    monkeypatch.setattr(feed, "BATCH", 2)
    for number in range(5):
        ProductImageFactory(product=BuyableProductFactory(variant__sku=f"V{number}"))

    assert [item["id"] for item in get_items()] == [
        *("MUG MOSS", "MUG-SAND", "V0", "V1", "V2", "V3", "V4")
    ]


@pytest.mark.parametrize("many", [1, 6])
def test_statements_are_as_many_as_batches_need(
    mug: Product, django_assert_num_queries: Any, many: int
) -> None:
    for _ in range(many):
        ProductImageFactory(product=BuyableProductFactory())

    with django_assert_num_queries(6):
        b"".join(Client().get("/feeds/google.xml"))


def test_feed_travels_compressed_to_those_who_take_it(mug: Product) -> None:
    plain = b"".join(Client().get("/feeds/google.xml"))
    answer = Client().get("/feeds/google.xml", headers={"Accept-Encoding": "gzip, br"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(answer)) == plain


def test_few_may_ask_at_once(mug: Product) -> None:
    under_way = [Client().get("/feeds/google.xml") for _ in range(view.MOST_AT_ONCE)]

    refused = Client().get("/feeds/google.xml")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
    for answer in under_way:
        b"".join(answer)
    assert len(get_items()) == 2


def test_somebody_who_only_looks_or_goes_away_keeps_nobody_away(mug: Product) -> None:
    for _ in range(view.MOST_AT_ONCE + 1):
        assert Client().head("/feeds/google.xml").status_code == 200
        answer = Client().get("/feeds/google.xml")
        assert answer.status_code == 200
        go_away(answer)

    assert len(get_items()) == 2


def test_a_reader_who_never_comes_to_an_end_is_forgotten(mug: Product, monkeypatch: Any) -> None:
    under_way = [Client().get("/feeds/google.xml") for _ in range(view.MOST_AT_ONCE)]
    monkeypatch.setattr(view, "FORGOTTEN_AFTER", 0.0)

    assert len(get_items()) == 2
    for answer in under_way:
        b"".join(answer)
