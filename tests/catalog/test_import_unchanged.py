"""What is recognised as unchanged, many products at a time, is what one by one would be, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Seller
from catalog.models import (
    Attribute,
    ImageAsset,
    OptionValue,
    Product,
    ProductImage,
    ProductVariant,
    StockLevel,
    StockMovement,
)
from catalog.records import (
    AttributeRecord,
    CategoryStep,
    ImageRecord,
    OptionRecord,
    OptionValueRecord,
    ProductRecord,
)
from catalog.services import publishing, unchanged
from catalog.services.media import add_image
from catalog.services.newcomers import Newcomer
from catalog.services.publishing import Change, StockTaking
from tests.catalog.importing import upload_and_work
from tests.catalog.pictures import picture
from tests.catalog.records import FIRST_COUNT, mug, vase
from tests.catalog.rows import fingerprint
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import CategoryFactory, TaxClassFactory, VariantFactory

pytestmark = pytest.mark.django_db
Change_ = Callable[[ProductRecord], ProductRecord]

IMAGES = (ImageRecord("front", "From the front"), ImageRecord("back"))


def whole_mug() -> ProductRecord:
    record = mug(
        category=(CategoryStep("home", "Home"), CategoryStep("mugs", "Mugs")),
        attributes=(
            AttributeRecord("Material", ("clay", "ash"), Attribute.Kind.TEXT),
            AttributeRecord("Volume", ("320 ml",), Attribute.Kind.NUMBER, "ml"),
        ),
        tags=("tea", "blue"),
        images=IMAGES,
        description="<p>Fine</p>",
        seo_title="Mug",
    )
    first, *rest = record.variants
    return replace(record, variants=(replace(first, image="front", cost=Decimal(3)), *rest))


@pytest.fixture
def assets() -> dict[str, ImageAsset]:
    return {
        "front": add_image(picture(size=(40, 50))),
        "back": add_image(picture(size=(50, 40))),
    }


@pytest.fixture
def seller(assets: dict[str, ImageAsset]) -> Seller:
    """A seller whose mug is in the shop as `whole_mug` has it."""
    seller = SellerFactory()
    publishing.save_product(whole_mug(), seller=seller, stock_taking=FIRST_COUNT, assets=assets)
    TaxClassFactory(code="reduced")
    CategoryFactory(slug="bar", name="Bar", path="bar")
    return seller


def find(
    record: ProductRecord, seller: Seller, assets: Any, taking: StockTaking = FIRST_COUNT
) -> list[int]:
    with transaction.atomic():
        return list(unchanged.find({3: Newcomer(record, seller, assets)}, stock_taking=taking))


def write(record: ProductRecord, seller: Seller, assets: Any) -> Change:
    saved = publishing.save_product(record, seller=seller, stock_taking=FIRST_COUNT, assets=assets)
    return saved.change


def of_first_variant(**changes: Any) -> Change_:
    def change(record: ProductRecord) -> ProductRecord:
        first, *rest = record.variants
        return replace(record, variants=(replace(first, **changes), *rest))

    return change


def of_record(**changes: Any) -> Change_:
    return lambda record: replace(record, **changes)


def more_choices(record: ProductRecord) -> ProductRecord:
    (glaze,) = record.options
    return replace(
        record, options=(replace(glaze, values=(*glaze.values, OptionValueRecord("Salt"))),)
    )


def other_order(record: ProductRecord) -> ProductRecord:
    return replace(record, variants=record.variants[::-1])


SAME: dict[str, Change_] = {
    "nothing": of_record(),
    "space around the title": of_record(title=" Dune mug "),
    "no category said": of_record(category=()),
    "no attributes said": of_record(attributes=()),
    "no pictures said": of_record(images=()),
    "no search title said": of_record(seo_title=None),
    "other pieces on a counted shelf": of_first_variant(stock=77),
    "no cost said": of_first_variant(cost=None),
    "a text that the file has no column for": of_record(
        description="other", unsaid=frozenset({"description"})
    ),
    "script in the text": of_record(description="<p>Fine</p><script>x()</script>"),
    "a price with more zeros": of_first_variant(price=Decimal("24.000")),
}
OTHER: dict[str, Change_] = {
    "title": of_record(title="Other"),
    "texts": of_record(care="By hand"),
    "tags in another order": of_record(tags=("blue", "tea")),
    "category": of_record(category=(CategoryStep("bar", "Bar"),)),
    "unknown category": of_record(category=(CategoryStep("new", "New"),)),
    "tax class": of_record(tax_class="reduced"),
    "unknown tax class": of_record(tax_class="new"),
    "status": of_record(status=Product.Status.DRAFT),
    "search title taken away": of_record(seo_title=""),
    "price": of_first_variant(price=Decimal("24.01")),
    "cost": of_first_variant(cost=Decimal(4)),
    "barcode": of_first_variant(barcode="4012345678901"),
    "taken off sale": of_first_variant(is_active=False),
    "not counted": of_first_variant(tracks_stock=False),
    "picture of a variant": of_first_variant(image="back"),
    "another number": of_first_variant(sku="MUG-NEW"),
    "variants in another order": other_order,
    "a variant less": lambda record: replace(record, variants=record.variants[:1]),
    "a choice more": more_choices,
    "a colour": of_record(
        options=(
            OptionRecord("Glaze", (OptionValueRecord("Moss", "#000000"), OptionValueRecord("Ink"))),
        )
    ),
    "an option's name": of_record(
        options=(OptionRecord("Colour", (OptionValueRecord("Moss"), OptionValueRecord("Ink"))),)
    ),
    "a value of an attribute less": of_record(attributes=(AttributeRecord("Material", ("clay",)),)),
    "an attribute taken away": of_record(attributes=(AttributeRecord("Volume", ()),)),
    "a new attribute": of_record(attributes=(AttributeRecord("Foot", ("oak",)),)),
    "pictures in another order": of_record(images=IMAGES[::-1]),
    "a picture less": of_record(images=IMAGES[:1]),
    "words for a picture": of_record(images=(ImageRecord("front", "Other"), IMAGES[1])),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME.keys())
def test_what_stays_as_it_is_is_recognised(change: Change_, seller: Seller, assets: Any) -> None:
    record = change(whole_mug())
    before = fingerprint("catalog")

    assert find(record, seller, assets) == [3]

    assert fingerprint("catalog") == before
    assert write(record, seller, assets) == Change.UNCHANGED


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER.keys())
def test_what_would_change_is_left_to_those_who_write(
    change: Change_, seller: Seller, assets: Any
) -> None:
    record = change(whole_mug())
    before = fingerprint("catalog")

    assert find(record, seller, assets) == []

    assert fingerprint("catalog") == before
    assert write(record, seller, assets) == Change.UPDATED


def without_shelves() -> None:
    StockMovement.objects.all().delete()
    StockLevel.objects.all().delete()


SPOILT: dict[str, Callable[[], Any]] = {
    "value moved": lambda: OptionValue.objects.filter(label="Moss").update(position=9),
    "label": lambda: ProductVariant.objects.filter(sku="MUG-INK").update(label="Tinte"),
    "variant": lambda: VariantFactory(product=Product.objects.get(), sku="MORE", position=9),
    "shelf": without_shelves,
    "picture": lambda: ProductImage.objects.filter(alt="").delete(),
    "choice": lambda: ProductVariant.objects.get(sku="MUG-INK").option_values.clear(),
    "not published": lambda: Product.objects.update(published_at=None),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_what_became_of_the_product_meanwhile_is_seen(
    spoil: Callable[[], Any], seller: Seller, assets: Any
) -> None:
    spoil()

    assert find(whole_mug(), seller, assets) == []
    assert write(whole_mug(), seller, assets) == Change.UPDATED


def test_strangers_broken_records_and_shelves_to_count_are_never_recognised(
    seller: Seller, assets: Any
) -> None:
    assert find(whole_mug(), SellerFactory(), assets) == []
    assert find(replace(whole_mug(), title=""), seller, assets) == []
    assert find(whole_mug(), seller, assets, StockTaking(reason="Test", recounts=True)) == []


def test_two_products_of_a_file_that_are_one_in_the_shop_are_written_in_turn() -> None:
    seller = SellerFactory()
    publishing.save_product(vase(), seller=seller, stock_taking=FIRST_COUNT)
    text = "Handle,Title,SKU,Price\nother,Other vase,VASE,9\nknop-vase,Knop vase,,48\n"

    run = upload_and_work(text.encode(), seller=seller)

    assert run.refused == 0
    assert (run.updated, run.unchanged) == (2, 0)
    assert Product.objects.get().title == "Knop vase"


def test_statements_for_what_is_unchanged_do_not_grow_with_the_products() -> None:
    seller = SellerFactory()
    rows = [f"p{number},P {number},S{number},5,Material: clay" for number in range(40)]
    text = "\n".join(["Handle,Title,SKU,Price,Attributes", *rows, ""]).encode()
    upload_and_work(text, seller=seller)

    with CaptureQueriesContext(
        connection,
    ) as few:
        run = upload_and_work(b"\n".join(text.splitlines()[:3]), seller=seller)
    with CaptureQueriesContext(connection) as many:
        again = upload_and_work(text, seller=seller)

    assert (run.unchanged, again.unchanged) == (2, 40)
    assert len(many) == len(few)
