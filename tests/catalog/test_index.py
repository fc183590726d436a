"""The index follows every change, and is then what it would be if it were built anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import transaction

from accounts.models import Seller
from catalog import index
from catalog.index import loading, stepping
from catalog.index.arrays import PAGE_SIZE, Column, Statements, to_bitmap, to_ids
from catalog.index.memory import MOST_RESULTS, Memory
from catalog.models import Attribute, Category, Product, ProductVariant
from catalog.records import AttributeRecord, CategoryStep
from catalog.services import categories, publishing, stock, summaries
from shop.services.changes import announce
from tests.catalog.indexes import describe
from tests.catalog.records import FIRST_COUNT, mug, vase
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import (
    PUBLISHED_AT,
    AttributeFactory,
    AttributeValueFactory,
    BuyableProductFactory,
    CategoryFactory,
    ProductFactory,
)

CUPS = (CategoryStep("table", "Table"), CategoryStep("cups", "Cups"))
STONEWARE = AttributeRecord("Material", ("Stoneware",))


def publish(record: Any, **seller: Any) -> Product:
    with transaction.atomic():
        maker = Seller.objects.filter(slug="havre").first() or SellerFactory(slug="havre", **seller)
        return publishing.write_product(record, seller=maker, stock_taking=FIRST_COUNT).product


def tell(*subjects: str) -> None:
    with transaction.atomic():
        announce(*subjects)


def names(products: Any) -> list[str]:
    return list(Product.objects.filter(pk__in=list(products)).values_list("slug", flat=True))


@pytest.fixture
def product(db: None) -> Product:
    """A mug for sale, in an index that knows it."""
    product = publish(mug(category=CUPS, attributes=(STONEWARE,)))
    assert product.pk in index.current().for_sale
    return product


def sell_out(product: Product) -> None:
    with transaction.atomic():
        for variant in product.variants.all():
            stock.count(variant, 0, reason="sold out")


def raise_price(product: Product) -> None:
    dear = [replace(variant, price=Decimal("99.00")) for variant in mug().variants]
    publish(mug(category=CUPS, attributes=(STONEWARE,), variants=tuple(dear)))


def archive(product: Product) -> None:
    with transaction.atomic():
        product.status = Product.Status.ARCHIVED
        publishing.finish(product)


def take_off_sale(product: Product) -> None:
    ProductVariant.objects.filter(product=product).update(is_active=False)
    with transaction.atomic():
        summaries.refresh([product.pk])


def state_something_else(product: Product) -> None:
    publish(mug(category=CUPS, attributes=(AttributeRecord("Material", ("Glass", "Oak")),)))


def state_something_new(product: Product) -> None:
    publish(mug(category=CUPS, attributes=(STONEWARE, AttributeRecord("Capacity", ("320 ml",)))))


def hang_it_elsewhere(product: Product) -> None:
    publish(mug(category=(CategoryStep("bath", "Bath"),), attributes=(STONEWARE,)))


def publish_another(product: Product) -> None:
    publish(vase(category=CUPS[:1], attributes=(AttributeRecord("Material", ("Stoneware",)),)))


def move_the_category(product: Product) -> None:
    cups = Category.objects.get(slug="cups")
    cups.parent = CategoryFactory(slug="kitchen")
    categories.save(cups)


def suspend_the_seller(product: Product) -> None:
    Seller.objects.update(status=Seller.Status.SUSPENDED)
    tell(f"seller:{product.seller_id}")


def rename_the_seller(product: Product) -> None:
    Seller.objects.update(name="Havre & Sons", slug="havre-and-sons")
    tell(f"seller:{product.seller_id}")


def rename_an_attribute(product: Product) -> None:
    Attribute.objects.update(name="Made of", position=7)
    tell("attributes")


def hide_an_attribute(product: Product) -> None:
    Attribute.objects.update(is_filter=False)
    tell("attributes")


def rate(product: Product) -> None:
    Product.objects.update(rating=Decimal("4.25"), rating_count=8, popularity=3)
    tell(f"product:{product.pk}")


def publish_later(product: Product) -> None:
    Product.objects.update(published_at=PUBLISHED_AT + timedelta(days=1))
    tell(f"product:{product.pk}")


@pytest.mark.parametrize(
    "change",
    [
        sell_out, raise_price, archive, take_off_sale, state_something_else, state_something_new,
        hang_it_elsewhere, publish_another, move_the_category,
        suspend_the_seller, rename_the_seller, rename_an_attribute, hide_an_attribute, rate,
        publish_later,
    ],
)  # fmt: skip
def test_a_change_makes_the_index_what_it_would_be_anew(
    product: Product, change: Callable[[Product], None]
) -> None:
    before = describe(index.current())

    change(product)

    after = describe(index.current())
    assert after != before
    assert after == describe(loading.load())


@pytest.mark.django_db
def test_a_deleted_product_leaves() -> None:
    kept = BuyableProductFactory()
    gone = BuyableProductFactory(variant__tracks_stock=False)
    AttributeValueFactory(product=gone)
    number = gone.pk
    assert number in index.current().for_sale

    gone.delete()
    tell(f"product:{number}")

    assert set(index.current().for_sale) == {kept.pk}
    assert describe(index.current()) == describe(loading.load())


@pytest.mark.parametrize("change", [archive, suspend_the_seller, hide_an_attribute, take_off_sale])
def test_what_was_taken_away_can_come_back(
    product: Product, change: Callable[[Product], None]
) -> None:
    before = describe(index.current())
    change(product)
    assert describe(index.current()) != before

    Seller.objects.update(status=Seller.Status.ACTIVE)
    Attribute.objects.update(is_filter=True)
    Product.objects.update(status=Product.Status.ACTIVE)
    ProductVariant.objects.update(is_active=True)
    with transaction.atomic():
        summaries.refresh([product.pk])
    tell(f"product:{product.pk}", f"seller:{product.seller_id}", "attributes")

    assert describe(index.current()) == before == describe(loading.load())


def test_many_changes_at_once_are_read_with_everything(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping, "FEW_PRODUCTS", 0)

    publish_another(product)

    assert describe(index.current()) == describe(loading.load())
    assert len(index.current().for_sale) == 2


def test_an_old_snapshot_stays_as_it_was(product: Product) -> None:
    old = index.current()
    before = describe(old)

    for change in (raise_price, state_something_else, publish_another, rate, archive):
        change(product)
        index.current()

    assert describe(old) == before


def test_the_index_names_what_hangs_on_a_product(product: Product) -> None:
    table, cups = Category.objects.order_by("path")
    told: list[frozenset[str]] = []

    told.append(frozenset(index.following.follow(frozenset({f"product:{product.pk}"}))))

    assert told == [{"catalogue", f"category:{table.pk}", f"category:{cups.pk}", "shelf:havre"}]
    assert index.following.follow(frozenset({"words:5", "pages", "product:x"})) == ()


def test_moved_products_touch_the_old_category_and_the_new(product: Product) -> None:
    bath = CategoryFactory(slug="bath")
    Product.objects.update(category=bath)

    told = set(index.following.follow(frozenset({f"product:{product.pk}"})))

    assert {f"category:{each.pk}" for each in Category.objects.all()} <= told


def test_an_index_that_nobody_needed_yet_names_everything(db: None) -> None:
    assert index.following.follow(frozenset({"product:5"})) == ("everything",)


@pytest.mark.django_db
def test_what_is_not_for_sale_is_not_in_it() -> None:
    draft = BuyableProductFactory(slug="draft")
    Product.objects.update(status=Product.Status.DRAFT)
    AttributeValueFactory(product=draft, text="Moss")
    ProductFactory(slug="without-variant")
    BuyableProductFactory(seller=SellerFactory(status=Seller.Status.SUSPENDED))
    BuyableProductFactory(slug="mug")

    snapshot = index.current()

    assert names(snapshot.for_sale) == ["mug"]
    assert [facet for values in snapshot.values.values() for facet in values] == [
        Product.objects.get(slug="mug").seller.slug
    ]


@pytest.mark.django_db
def test_what_has_too_many_values_is_for_searching(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MOST_VALUES", 2)
    number = AttributeFactory(code="part-number")
    for text in ("A", "B", "C"):
        AttributeValueFactory(product=BuyableProductFactory(), attribute=number, text=text)
    AttributeValueFactory(product=BuyableProductFactory(), text="Moss")

    snapshot = index.current()

    assert [attribute.code for attribute in snapshot.attributes.values()] == ["colour"]
    assert set(snapshot.values) == {0, Attribute.objects.get(code="colour").pk}


@pytest.mark.django_db
def test_an_attribute_cannot_take_a_word_that_addresses_need() -> None:
    AttributeValueFactory(
        product=BuyableProductFactory(), attribute=AttributeFactory(code="page"), text="Two"
    )

    assert index.current().attributes == {}


def test_columns_keep_numbers_on_far_pages_apart() -> None:
    ids = np.array([1, 5, PAGE_SIZE, 9 * PAGE_SIZE + 7], np.uint32)
    column = Column(np.int64).put(ids, np.array([10, 50, 60, 70]))

    changed = column.put(ids[1:2], np.array([51]))

    assert column.take(ids).tolist() == [10, 50, 60, 70]
    assert changed.take(np.array([1, 5, 6, 3 * PAGE_SIZE], np.uint32)).tolist() == [10, 51, 0, 0]
    assert changed.pages[9] is column.pages[9]
    assert changed.put(ids, np.array([10, 51, 60, 70])) is changed


def test_statements_are_replaced_product_by_product() -> None:
    ids = np.array([3, 4, 2 * PAGE_SIZE], np.uint32)
    stated = Statements().put(
        ids, np.array([4, 3, 4, 2 * PAGE_SIZE], np.uint32), np.array([1, 2, 3, 9], np.uint32)
    )

    changed = stated.put(ids[:1], np.array([3, 3], np.uint32), np.array([7, 8], np.uint32))

    assert [sorted(stated.of(product)) for product in (2, 3, 4)] == [[], [2], [1, 3]]
    assert [sorted(changed.of(product)) for product in (3, 4, 2 * PAGE_SIZE)] == [
        [7, 8],
        [1, 3],
        [9],
    ]
    assert sorted(changed.gather(ids).tolist()) == [1, 3, 7, 8, 9]
    assert changed.gather(np.array([99, 5 * PAGE_SIZE], np.uint32)).tolist() == []


def test_what_was_worked_out_is_remembered_until_its_subject_changes() -> None:
    memory = Memory()
    answers = iter(range(9))

    def ask(memory: Memory, subject: str) -> int:
        return memory.recall(subject, "how many", lambda: next(answers))

    assert [ask(memory, "category:1"), ask(memory, "category:1")] == [0, 0]
    assert [ask(memory, "category:2"), ask(memory, ""), ask(memory, "")] == [1, 2, 3]
    later = memory.without({"category:1"})
    assert [ask(later, "category:1"), ask(later, "category:2"), ask(memory, "category:1")] == [
        4,
        1,
        0,
    ]


def test_a_memory_forgets_what_was_asked_longest_ago() -> None:
    memory = Memory()
    for number in range(MOST_RESULTS):
        memory.recall("catalogue", number, lambda: "old")
    memory.recall("catalogue", 0, lambda: "new")
    memory.recall("catalogue", "one more", lambda: "new")

    assert memory.recall("catalogue", 0, lambda: "asked again") == "old"
    assert memory.recall("catalogue", 1, lambda: "asked again") == "asked again"


@pytest.mark.parametrize("many", [0, 1, 2_000, 2_001, 70_000])
@pytest.mark.parametrize("order", [1, -1])
def test_a_bitmap_of_many_numbers_holds_just_these(many: int, order: int) -> None:
    chance = np.random.default_rng(many)
    numbers = np.unique(chance.integers(0, 300_000, 2 * many).astype(np.uint32))[:many]
    numbers = np.append(numbers, np.array([65_535, 65_536, 2**31], np.uint32))

    bitmap = to_bitmap(numbers[::order])

    assert list(bitmap) == sorted({*numbers.tolist()})
    assert to_ids(bitmap).tolist() == list(bitmap)
