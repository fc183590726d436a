from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from catalog.errors import ProductRefused
from catalog.models import AttributeValue, Category, Product, ProductVariant, StockMovement
from catalog.records import (
    AttributeRecord,
    CategoryStep,
    OptionRecord,
    OptionValueRecord,
    VariantRecord,
)
from catalog.services import publishing, stock
from catalog.services.publishing import Change, StockTaking
from shop.clock import now
from tests.catalog.records import FIRST_COUNT, mug, vase
from tests.catalog.rows import fingerprint
from tests.factories.accounts import SellerFactory

pytestmark = pytest.mark.django_db


def test_new_product_is_on_sale_with_its_variants() -> None:
    seller = SellerFactory()

    saved = publishing.save_product(mug(), seller=seller, stock_taking=FIRST_COUNT)

    product = Product.objects.get(slug="dune-mug")
    assert saved.change == Change.CREATED
    assert (product.price_from, product.price_to) == (Decimal("24.00"), Decimal("26.50"))
    assert product.is_available
    assert product.published_at <= now()
    assert list(product.variants.values_list("sku", "label", "stock_level__on_hand")) == [
        ("MUG-MOSS", "Moss", 3),
        ("MUG-INK", "Ink", 0),
    ]


def test_saving_the_same_again_writes_no_row() -> None:
    seller = SellerFactory()
    publishing.save_product(mug(), seller=seller, stock_taking=FIRST_COUNT)
    before = fingerprint("catalog", "shop", "accounts")

    saved = publishing.save_product(mug(), seller=seller, stock_taking=FIRST_COUNT)

    assert saved.change == Change.UNCHANGED
    assert fingerprint("catalog", "shop", "accounts") == before


def test_new_price_is_written_and_shown_in_lists() -> None:
    seller = SellerFactory()
    publishing.save_product(vase(), seller=seller, stock_taking=FIRST_COUNT)

    dearer = vase(variants=(VariantRecord(sku="VASE", price=Decimal("52.00"), stock=5),))
    saved = publishing.save_product(dearer, seller=seller, stock_taking=FIRST_COUNT)

    assert saved.change == Change.UPDATED
    assert Product.objects.get().price_from == Decimal("52.00")


def test_variant_that_vanished_is_taken_off_sale_but_kept() -> None:
    seller = SellerFactory()
    publishing.save_product(mug(), seller=seller, stock_taking=FIRST_COUNT)

    only_ink = mug(
        options=(OptionRecord("Glaze", (OptionValueRecord("Ink"),)),),
        variants=(mug().variants[1],),
    )
    publishing.save_product(only_ink, seller=seller, stock_taking=FIRST_COUNT)

    moss = ProductVariant.objects.get(sku="MUG-MOSS")
    assert not moss.is_active
    assert moss.stock_level.on_hand == 3
    assert Product.objects.get().is_available is False


def test_new_sku_for_the_same_options_keeps_the_shelf() -> None:
    seller = SellerFactory()
    publishing.save_product(mug(), seller=seller, stock_taking=FIRST_COUNT)

    moss, ink = mug().variants
    renamed = mug(variants=(replace(moss, sku="M-1"), ink))
    publishing.save_product(renamed, seller=seller, stock_taking=FIRST_COUNT)

    assert list(ProductVariant.objects.values_list("sku", "stock_level__on_hand")) == [
        ("M-1", 3),
        ("MUG-INK", 0),
    ]


def test_missing_sku_is_made_of_handle_and_options_and_stays() -> None:
    seller = SellerFactory()
    record = mug(variants=tuple(replace(variant, sku="") for variant in mug().variants))

    publishing.save_product(record, seller=seller, stock_taking=FIRST_COUNT)
    again = publishing.save_product(record, seller=seller, stock_taking=FIRST_COUNT)

    skus = list(ProductVariant.objects.values_list("sku", flat=True))
    assert skus == ["DUNE-MUG-MOSS", "DUNE-MUG-INK"]
    assert again.change == Change.UNCHANGED


def test_what_was_sold_does_not_come_back_with_the_next_import() -> None:
    seller = SellerFactory()
    publishing.save_product(vase(), seller=seller, stock_taking=FIRST_COUNT)
    variant = ProductVariant.objects.get(sku="VASE")
    stock.set_on_hand(variant, 4, actor=None, reason="one was sold")

    publishing.save_product(vase(), seller=seller, stock_taking=FIRST_COUNT)

    variant.stock_level.refresh_from_db()
    assert variant.stock_level.on_hand == 4


def test_counting_anew_sets_the_shelf_and_books_why() -> None:
    seller = SellerFactory()
    publishing.save_product(vase(), seller=seller, stock_taking=FIRST_COUNT)
    fewer = vase(variants=(VariantRecord(sku="VASE", price=Decimal("48.00"), stock=2),))

    saved = publishing.save_product(
        fewer, seller=seller, stock_taking=StockTaking(reason="Import", recounts=True)
    )

    assert saved.change == Change.UPDATED
    newest = StockMovement.objects.first()
    assert (newest.on_hand_change, newest.reason) == (-3, "Import")


def test_sku_of_another_product_is_refused_and_nothing_is_saved() -> None:
    seller = SellerFactory()
    publishing.save_product(vase(), seller=seller, stock_taking=FIRST_COUNT)
    variants = (
        VariantRecord(sku="VASE", price=Decimal("1.00")),
        VariantRecord(sku="OTHER", price=Decimal("1.00")),
    )
    options = (OptionRecord("Size", (OptionValueRecord("S"), OptionValueRecord("L"))),)
    thief = vase(
        handle="thief",
        title="Thief",
        options=options,
        variants=tuple(
            replace(variant, options=(label,))
            for variant, label in zip(variants, ("S", "L"), strict=True)
        ),
    )
    before = fingerprint("catalog")

    with pytest.raises(ProductRefused, match="The SKU VASE already belongs to “Knop vase”"):
        publishing.save_product(thief, seller=seller, stock_taking=FIRST_COUNT)

    assert fingerprint("catalog") == before


def test_two_sellers_may_use_one_handle() -> None:
    first, second = SellerFactory(slug="first"), SellerFactory(slug="second")
    publishing.save_product(vase(), seller=first, stock_taking=FIRST_COUNT)
    other = vase(variants=(VariantRecord(price=Decimal("9.00"), stock=1),))

    publishing.save_product(other, seller=second, stock_taking=FIRST_COUNT)
    again = publishing.save_product(other, seller=second, stock_taking=FIRST_COUNT)

    assert again.change == Change.UNCHANGED
    assert list(Product.objects.order_by("pk").values_list("slug", "seller__slug")) == [
        ("knop-vase", "first"),
        ("knop-vase-second", "second"),
    ]


def test_script_in_a_description_never_reaches_the_page() -> None:
    record = vase(description='<p onclick="x()">Fine<script>alert(1)</script></p>')

    publishing.save_product(record, seller=SellerFactory(), stock_taking=FIRST_COUNT)

    assert Product.objects.get().description == "<p>Fine</p>"


def test_category_path_is_created_step_by_step() -> None:
    way = (CategoryStep("living", "Living"), CategoryStep("vases", "Vases & candles"))

    publishing.save_product(vase(category=way), seller=SellerFactory(), stock_taking=FIRST_COUNT)

    assert Product.objects.get().category.path == "living/vases"
    assert list(Category.objects.order_by("path").values_list("path", "name")) == [
        ("living", "Living"),
        ("living/vases", "Vases & candles"),
    ]


def test_facts_in_words_become_typed_values() -> None:
    record = vase(
        attributes=(
            AttributeRecord("Capacity", ("320 ml",)),
            AttributeRecord("Dishwasher safe", ("Yes",)),
            AttributeRecord("Material", ("Stoneware", "Oak")),
        )
    )

    publishing.save_product(record, seller=SellerFactory(), stock_taking=FIRST_COUNT)

    rows = AttributeValue.objects.order_by("attribute__code", "facet").values_list(
        "attribute__code",
        "attribute__kind",
        "attribute__unit",
        "text",
        "number",
        "boolean",
        "facet",
    )
    assert list(rows) == [
        ("capacity", "number", "ml", "", Decimal("320"), None, "320"),
        ("dishwasher-safe", "boolean", "", "", None, True, "yes"),
        ("material", "text", "", "Oak", None, None, "oak"),
        ("material", "text", "", "Stoneware", None, None, "stoneware"),
    ]


def test_litres_join_a_facet_in_millilitres() -> None:
    seller = SellerFactory()
    small = vase(attributes=(AttributeRecord("Capacity", ("320 ml",)),))
    large = mug(attributes=(AttributeRecord("Capacity", ("0.9 l",)),))

    publishing.save_product(small, seller=seller, stock_taking=FIRST_COUNT)
    publishing.save_product(large, seller=seller, stock_taking=FIRST_COUNT)

    facets = AttributeValue.objects.order_by("number").values_list("facet", flat=True)
    assert list(facets) == ["320", "900"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": " "}, "The title is missing"),
        ({"variants": ()}, "There is nothing to buy"),
        ({"title": "x" * 251}, "250 characters at most"),
        ({"variants": (VariantRecord(price=Decimal("-1")),)}, "-1 is not a price"),
        ({"variants": (VariantRecord(price=Decimal("NaN")),)}, "NaN is not a price"),
        ({"variants": (VariantRecord(price=Decimal("1e10")),)}, "is not a price"),
        ({"variants": (VariantRecord(price=Decimal(1), stock=-2),)}, "must be 0 or more"),
        (
            {"variants": (VariantRecord(price=Decimal(1)), VariantRecord(price=Decimal(2)))},
            "Two variants have the same options",
        ),
    ],
)
def test_record_that_breaks_a_rule_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ProductRefused, match=message):
        publishing.save_product(vase(**change), seller=SellerFactory(), stock_taking=FIRST_COUNT)

    assert not Product.objects.exists()
