from __future__ import annotations

import csv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.models import AttributeValue, Product, ProductVariant
from tests.catalog.importing import run_import
from tests.catalog.rows import fingerprint
from tests.factories.accounts import SellerFactory

pytestmark = pytest.mark.django_db

COLUMNS = [
    "ID", "Type", "SKU", "Name", "Published", "Visibility in catalog", "Short description",
    "Description", "Date sale price starts", "Date sale price ends", "Tax status", "In stock?",
    "Stock", "Backorders allowed?", "Weight (lbs)", "Length (cm)", "Sale price", "Regular price",
    "Categories", "Tags", "Images", "Parent", "Position", "Attribute 1 name",
    "Attribute 1 value(s)", "Attribute 1 visible", "Attribute 2 name", "Attribute 2 value(s)",
]  # fmt: skip
ROW = {"Type": "simple", "Published": "1", "In stock?": "1", "Regular price": "10"}


@pytest.fixture(autouse=True)
def _a_seller() -> None:
    SellerFactory(slug="first")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[str]]:
    """Import rows, each given by what differs from a plain product."""

    def run(*rows: dict[str, str], **options: Any) -> list[str]:
        path = tmp_path / "woo.csv"
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(ROW | row for row in rows)
        return run_import(path, "woocommerce", **options)

    return run


def test_real_export_comes_in_and_a_second_time_changes_nothing(
    shared: Callable[[str], Path],
) -> None:
    path = shared("catalogues/woocommerce/sample_products.csv")

    first = run_import(path, "woocommerce")

    assert first[-1] == (
        "Products: 11 created, 0 updated, 0 unchanged, 4 refused. Rows: 4 refused, 4 noted."
    )
    assert [line for line in first if line.startswith("Refused")] == [
        "Refused: line 10, cc-album, Type: Downloads cannot be sold here yet.",
        "Refused: line 11, cc-single, Type: Downloads cannot be sold here yet.",
        "Refused: line 17, cc-logo-collection, Type: A grouped product is a list of others; import "
        "those, and make a collection of them.",
        "Refused: line 18, cp-donation, Type: An external product is sold by another shop; it "
        "cannot be sold here.",
    ]
    hoodie = Product.objects.get(slug="hoodie")
    assert hoodie.category.path == "clothing/hoodies"
    assert {
        (variant.label, variant.price, variant.compare_at_price)
        for variant in hoodie.variants.all()
    } == {
        ("Red / No", Decimal(42), Decimal(45)),
        *((f"{colour} / No", Decimal(45), None) for colour in ("Green", "Blue")),
        *((f"{colour} / Yes", Decimal(45), None) for colour in ("Red", "Green", "Blue")),
    }
    assert Product.objects.get(slug="t-shirt").variants.count() == 9
    assert Product.objects.get(slug="hoodie-with-pocket").status == Product.Status.DRAFT
    before = fingerprint("catalog", "shop")

    second = run_import(path, "woocommerce")

    assert second[-1].startswith("Products: 0 created, 0 updated, 11 unchanged, 4 refused.")
    after = fingerprint("catalog", "shop")
    told = {"catalog_importrun", "catalog_importfinding"}
    assert {table: rows for table, rows in after.items() if table not in told} == {
        table: rows for table, rows in before.items() if table not in told
    }


def test_variations_find_their_parent_by_id_and_by_sku_wherever_they_stand(
    run: Callable[..., list[str]],
) -> None:
    lines = run(
        {"ID": "7", "Type": "variation", "SKU": "M1", "Parent": "id:5"}
        | {"Attribute 1 name": "Size", "Attribute 1 value(s)": "S"},
        {"ID": "9", "SKU": "X", "Name": "Between"},
        {"ID": "5", "Type": "variable", "SKU": "MUG", "Name": "Mug", "Regular price": ""}
        | {"Attribute 1 name": "Size", "Attribute 1 value(s)": "S, L"},
        {"ID": "8", "Type": "variation", "SKU": "M2", "Parent": "MUG"}
        | {"Attribute 1 name": "Size", "Attribute 1 value(s)": "L"},
    )

    assert lines == [
        "Products: 2 created, 0 updated, 0 unchanged, 0 refused. Rows: 0 refused, 0 noted."
    ]
    mug = Product.objects.get(slug="mug")
    assert [(each.sku, each.label) for each in mug.variants.all()] == [("M1", "S"), ("M2", "L")]


def test_variation_of_any_value_becomes_one_variant_for_each(
    run: Callable[..., list[str]],
) -> None:
    lines = run(
        {"Type": "variable", "SKU": "MUG", "Name": "Mug", "Regular price": ""}
        | {"Attribute 1 name": "Size", "Attribute 1 value(s)": "S, L"},
        {"Type": "variation", "SKU": "M", "Parent": "MUG", "Stock": "4"}
        | {"Attribute 1 name": "Size", "Attribute 1 value(s)": ""},
    )

    assert lines[:2] == [
        "Note: line 3, M, SKU: It stands for any value of an option; 2 variants were made of it.",
        "Note: line 3, M, Stock: All 4 pieces are counted with the first of them.",
    ]
    found = ProductVariant.objects.order_by("position")
    assert [(each.sku, each.label, each.stock_level.on_hand) for each in found] == [
        ("M-s", "S", 4),
        ("M-l", "L", 0),
    ]


def test_cells_say_what_woocommerce_means_by_them(run: Callable[..., list[str]]) -> None:
    run(
        {"SKU": "MUG", "Name": "Mug", "Short description": "<b>Short</b> &amp; good"}
        | {"Description": "Two\\n\\nparagraphs", "Stock": "3", "Weight (lbs)": "2"}
        | {"Length (cm)": "12.5", "Categories": "Home > Kitchen, Gifts\\, small > For tea"}
        | {"Tags": "tea, handmade", "Regular price": "20", "Sale price": "15"}
        | {"Attribute 1 name": "Glaze", "Attribute 1 value(s)": "Moss, Ink\\, dark"},
        {"SKU": "OLD", "Name": "Old sale", "Sale price": "5", "Date sale price ends": "2020-01-01"},
        {"SKU": "OUT", "Name": "Out", "In stock?": "0", "Tax status": "none"},
        {"SKU": "BACK", "Name": "Back", "Stock": "0", "Backorders allowed?": "notify"},
        {"SKU": "'=1+1", "Name": "'=cmd", "Published": "-1"},
    )

    mug = Product.objects.get(slug="mug")
    variant = mug.variants.get()
    assert mug.short_description == "Short & good"
    assert mug.description == "<p>Two</p>\n<p>paragraphs</p>"
    assert (mug.category.path, mug.tags) == ("home/kitchen", ["tea", "handmade", "For tea"])
    assert (variant.price, variant.compare_at_price) == (Decimal(15), Decimal(20))
    assert (variant.weight_grams, variant.stock_level.on_hand) == (907, 3)
    facts = AttributeValue.objects.filter(product=mug).order_by("attribute__code", "text")
    assert [(fact.attribute.name, fact.text or str(fact.number)) for fact in facts] == [
        ("Glaze", "Ink, dark"),
        ("Glaze", "Moss"),
        ("Length", "12.5000"),
    ]
    old = ProductVariant.objects.get(sku="OLD")
    assert (old.price, old.compare_at_price) == (Decimal(10), None)
    out = ProductVariant.objects.get(sku="OUT")
    assert (out.tracks_stock, out.stock_level.on_hand) == (True, 0)
    assert out.product.tax_class.code == "untaxed"
    assert ProductVariant.objects.get(sku="BACK").tracks_stock is False
    guarded = ProductVariant.objects.get(sku="=1+1").product
    assert (guarded.title, guarded.status) == ("=cmd", Product.Status.DRAFT)


def test_two_products_of_one_name_stay_two(run: Callable[..., list[str]]) -> None:
    rows = [{"SKU": "A", "Name": "Beanie"}, {"SKU": "B", "Name": "Beanie"}]
    run(*rows)
    assert list(Product.objects.order_by("pk").values_list("slug", flat=True)) == [
        "beanie",
        "beanie-b",
    ]

    lines = run(*rows, from_start=True)

    assert lines[-1].startswith("Products: 0 created, 0 updated, 2 unchanged")


def test_what_cannot_be_used_is_named(run: Callable[..., list[str]]) -> None:
    lines = run(
        {"SKU": "A", "Name": "A", "Regular price": ""},
        {"Type": "variation", "SKU": "B", "Parent": "NOBODY"},
        {"Type": "variation", "SKU": "C"},
        {"Type": "bundle", "SKU": "D", "Name": "D"},
        {"Type": "variable", "SKU": "E", "Name": "E"},
        {"SKU": "F", "Name": ""},
        {"SKU": "G", "Name": "G", "Regular price": "ten"},
        {"SKU": "H", "Name": "H"},
        {"SKU": "H", "Name": "H again"},
    )

    assert [line for line in lines if line.startswith("Refused")] == [
        "Refused: line 2, A, Regular price: The price is missing.",
        "Refused: line 3, B, Parent: The product “NOBODY”, of which this is a variation, is not in "
        "the file.",
        "Refused: line 4, C, Parent: The variation does not say whose it is.",
        "Refused: line 5, D, Type: Products of the type “bundle” are not known here.",
        "Refused: line 6, E, Type: None of its variations can be sold.",
        "Refused: line 7, F, Name: The name is missing.",
        "Refused: line 8, G, Regular price: “ten” is not a number; write it like 12.50.",
        "Refused: line 10, H, SKU: Line 9 has the same ID or SKU already.",
    ]
    assert Product.objects.get().title == "H"


def test_shopify_file_is_told_from_a_woocommerce_one(
    shared: Callable[[str], Path],
) -> None:
    from django.core.management import CommandError

    with pytest.raises(CommandError, match=r"Name, Regular price is missing\. .* WooCommerce"):
        run_import(shared("catalogues/shopify/apparel.csv"), "woocommerce")


@pytest.mark.parametrize("text", ["<br" * 3_000, "<" * 60 + "a>" * 60])
def test_broken_tags_do_not_end_the_import(run: Callable[..., list[str]], text: str) -> None:
    run({"SKU": "MUG", "Name": "Mug", "Short description": text})

    assert Product.objects.get().title == "Mug"
