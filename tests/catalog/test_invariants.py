"""Each invariant speaks when its rule is broken: the rows are bent past the services here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F

from catalog.models import (
    Category,
    ImageAsset,
    Option,
    OptionValue,
    Product,
    ProductVariant,
    StockLevel,
    StockMovement,
)
from catalog.services import publishing
from shop import invariants
from tests.catalog.records import FIRST_COUNT, mug
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import CategoryFactory, ImageAssetFactory

pytestmark = [pytest.mark.django_db, pytest.mark.breaks_invariants]


def broken() -> list[str]:
    return [violation.id for violation in invariants.find_violations()]


@pytest.fixture(autouse=True)
def _a_sound_catalogue() -> None:
    publishing.save_product(mug(), seller=SellerFactory(), stock_taking=FIRST_COUNT)
    CategoryFactory(parent=CategoryFactory(slug="living"), slug="vases")
    ImageAssetFactory()


def test_sound_catalogue_is_silent() -> None:
    assert broken() == []


def change_shelf() -> None:
    StockLevel.objects.update(on_hand=F("on_hand") + 1)


def lose_movement() -> None:
    StockMovement.objects.all().delete()


@pytest.mark.parametrize("bend", [change_shelf, lose_movement])
def test_shelf_that_disagrees_with_its_ledger_is_noticed(bend: Any) -> None:
    bend()

    assert "I13" in broken()


def test_list_price_that_no_variant_has_is_noticed() -> None:
    Product.objects.update(price_from=Decimal("1.00"))

    assert broken() == ["C1"]


def test_variant_taken_off_sale_behind_the_lists_back_is_noticed() -> None:
    ProductVariant.objects.update(is_active=False)

    assert broken() == ["C1"]


def test_category_that_moved_without_its_path_is_noticed() -> None:
    Category.objects.filter(slug="vases").update(parent=None)

    assert broken() == ["C2"]


def test_variant_with_two_values_of_one_option_is_noticed() -> None:
    variant = ProductVariant.objects.get(sku="MUG-MOSS")
    variant.option_values.add(OptionValue.objects.get(label="Ink"))

    assert broken() == ["C3"]


def test_variant_with_an_option_of_another_product_is_noticed() -> None:
    publishing.save_product(
        mug(
            handle="cup",
            title="Cup",
            variants=tuple(
                type(variant)(options=variant.options, price=variant.price)
                for variant in mug().variants
            ),
        ),
        seller=SellerFactory(),
        stock_taking=FIRST_COUNT,
    )
    foreign = Option.objects.get(product__slug="cup").values.get(label="Moss")
    ProductVariant.objects.get(sku="MUG-MOSS").option_values.set([foreign])

    assert broken() == ["C3"]


def test_picture_called_ready_without_renditions_is_noticed() -> None:
    ImageAsset.objects.update(renditions={"webp": [320]})

    assert broken() == ["C4"]
