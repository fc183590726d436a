"""What a price was before: kept by the database, told where a price is shown as reduced."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from catalog.models import FormerPrice, Product, ProductVariant
from catalog.records import VariantRecord
from catalog.services import price_history, publishing, summaries
from catalog.tasks import prune_prices
from shop.clock import now
from tests.admin_forms import address, sign_in, submit
from tests.catalog.records import FIRST_COUNT, vase
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import BuyableProductFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def mug() -> ProductVariant:
    product = BuyableProductFactory(
        slug="mug", variant__price=Decimal(80), variant__compare_at_price=Decimal(120)
    )
    return product.variants.get()


def cost(variant: ProductVariant, price: int, *, until: timedelta) -> None:
    """Say that a variant cost so much until so long ago."""
    FormerPrice.objects.create(variant=variant, price=price, ended_at=now() - until)


@transaction.atomic
def change(variant: ProductVariant, **fields: Any) -> None:
    """Change a variant in whatever way."""
    ProductVariant.objects.filter(pk=variant.pk).update(**fields)
    summaries.refresh([variant.product_id])


def told(client: Client) -> str:
    return client.get("/products/mug/").context["product"].variant.lowest_words


def prices(variant: ProductVariant) -> list[Decimal]:
    return list(variant.former_prices.values_list("price", flat=True))


@pytest.mark.parametrize(
    "fields", [{"price": 70}, {"compare_at_price": 90}, {"compare_at_price": None}]
)
def test_whatever_changes_a_price_leaves_the_one_before(mug: Any, fields: dict[str, Any]) -> None:
    change(mug, **fields)

    assert prices(mug) == [Decimal(80)]


def test_what_changes_no_price_leaves_nothing(mug: ProductVariant) -> None:
    change(mug, price=Decimal("80.00"), weight_grams=9)

    assert prices(mug) == []


def test_of_several_changes_at_once_only_what_shoppers_saw_counts(mug: ProductVariant) -> None:
    with transaction.atomic():
        for price in (5, 70):
            change(mug, price=price)

    assert prices(mug) == [Decimal(80)]


def test_the_admin_leaves_the_price_before(mug: ProductVariant) -> None:
    page = address("catalog_product", "change", mug.product_id)

    answer = submit(sign_in(), page, variants__0__price="60.00")

    assert answer.status_code == 302
    assert prices(mug) == [Decimal(80)]


def test_an_import_leaves_the_price_before() -> None:
    seller = SellerFactory()

    def save(price: str) -> Product:
        return publishing.save_product(
            vase(variants=(VariantRecord(sku="VASE", price=Decimal(price)),)),
            seller=seller,
            stock_taking=FIRST_COUNT,
        ).product

    variant = save("30").variants.get()
    assert prices(variant) == []
    save("25")

    assert prices(variant) == [Decimal(30)]


def test_a_reduced_price_is_measured_by_the_lowest_of_the_30_days_before(
    client: Client, mug: ProductVariant
) -> None:
    cost(mug, 60, until=38 * DAY)
    cost(mug, 110, until=20 * DAY)
    cost(mug, 100, until=13 * DAY)
    cost(mug, 120, until=7 * DAY)

    assert told(client) == "Lowest price of the 30 days before the reduction: €100.00"


def test_a_price_counts_that_was_still_asked_within_the_30_days(
    client: Client, mug: ProductVariant
) -> None:
    cost(mug, 90, until=36 * DAY)
    cost(mug, 120, until=7 * DAY)

    assert told(client) == "Lowest price of the 30 days before the reduction: €90.00"


def test_a_reduction_of_long_ago_is_still_measured_by_what_was_before_it(
    client: Client, mug: ProductVariant
) -> None:
    cost(mug, 120, until=300 * DAY)

    assert told(client) == "Lowest price of the 30 days before the reduction: €120.00"


def test_a_price_that_is_only_called_reduced_is_told_to_be_the_lowest(
    client: Client, mug: ProductVariant
) -> None:
    change(mug, compare_at_price=150)

    assert told(client) == "Lowest price of the 30 days before the reduction: €80.00"


def test_where_no_price_before_is_known_the_one_of_now_is_the_lowest(
    client: Client, mug: ProductVariant
) -> None:
    assert told(client) == "Lowest price of the last 30 days: €80.00"
    assert "Lowest price of the last 30 days: €80.00" in client.get("/products/mug/").text


def test_nothing_is_said_of_a_price_that_is_not_reduced(
    client: Client, mug: ProductVariant
) -> None:
    cost(mug, 60, until=7 * DAY)
    change(mug, compare_at_price=80)

    assert told(client) == ""
    assert "Lowest price" not in client.get("/products/mug/").text


def test_prices_are_forgotten_that_no_page_speaks_of(mug: ProductVariant) -> None:
    for price, days in ((50, 400), (60, 320), (120, 300)):
        cost(mug, price, until=days * DAY)
    other = BuyableProductFactory().variants.get()
    for price, days in ((1, 95), (2, 85), (3, 20)):
        cost(other, price, until=days * DAY)

    prune_prices()

    assert [prices(mug), prices(other)] == [[120, 60], [3, 2]]
    assert price_history.prune() == 0


@pytest.mark.django_db(transaction=True)
def test_prices_follow_each_other_in_time(mug: ProductVariant) -> None:
    for price in (70, 60):
        change(mug, price=price)

    assert prices(mug) == [70, 80]
