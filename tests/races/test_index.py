"""While others sell and edit, an index that follows ends up like one that is built anew."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection, transaction

from catalog import index
from catalog.index import loading
from catalog.models import AttributeValue, Product, ProductVariant
from catalog.services import stock, summaries
from shop.services.changes import announce
from tests.catalog.indexes import describe
from tests.factories.catalog import AttributeFactory, BuyableProductFactory, CategoryFactory
from tests.races.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

COLOURS = ["moss", "sand", "ink"]


def test_nothing_is_missed_while_others_commit() -> None:
    table = CategoryFactory()
    colour = AttributeFactory()
    places = [table, CategoryFactory(parent=table), CategoryFactory()]
    products = [BuyableProductFactory(category=places[0]) for _number in range(6)]
    index.current()
    are_busy = threading.Event()
    are_busy.set()

    def change(seed: int) -> None:
        chance = random.Random(seed)
        for _turn in range(12):
            product = chance.choice(products)
            with transaction.atomic():
                # One row first, so that two of these wait for each other and commit in turn.
                Product.objects.select_for_update().get(pk=product.pk)
                variant = ProductVariant.objects.get(product=product)
                ProductVariant.objects.filter(pk=variant.pk).update(
                    price=Decimal(chance.randint(1, 90))
                )
                Product.objects.filter(pk=product.pk).update(category=chance.choice(places))
                AttributeValue.objects.filter(product=product).delete()
                facet = chance.choice(COLOURS)
                AttributeValue.objects.create(
                    product=product, attribute=colour, text=facet, facet=facet
                )
                summaries.refresh([product.pk])
                announce(f"product:{product.pk}")

    def sell_out() -> None:
        for product in products[:3]:
            with transaction.atomic():
                stock.count(ProductVariant.objects.get(product=product), 0, reason="sold out")

    def look() -> int:
        looks = 0
        while are_busy.is_set():
            snapshot = index.current()
            assert len(snapshot.for_sale) == len(products)
            assert sum(len(own) for own in snapshot.own.values()) == len(products)
            looks += 1
        return looks

    watcher: list[int | BaseException] = []
    reading = threading.Thread(target=lambda: watcher.append(_catch(look)))
    reading.start()
    results = at_once(lambda: change(1), lambda: change(2), sell_out)
    are_busy.clear()
    reading.join(20)

    assert results == [None, None, None]
    assert isinstance(watcher[0], int)
    assert describe(index.current()) == describe(loading.load())


def test_who_commits_late_is_seen_too() -> None:
    early, late = BuyableProductFactory(), BuyableProductFactory()
    index.current()
    may_commit = threading.Event()

    def commit_late() -> None:
        with transaction.atomic():
            Product.objects.filter(pk=late.pk).update(popularity=7)
            announce(f"product:{late.pk}")
            assert may_commit.wait(20)

    def commit_early() -> None:
        with transaction.atomic():
            Product.objects.filter(pk=early.pk).update(popularity=9)
            announce(f"product:{early.pk}")
        assert popularity(early, late) == [9, 0]
        may_commit.set()

    results = at_once(commit_late, commit_early)

    assert results == [None, None]
    assert popularity(early, late) == [9, 7]


def popularity(*products: Product) -> list[int]:
    keys = index.current().keys.popularity
    return [int(keys.take(np.array([each.pk], "u4"))[0]) for each in products]


def _catch(look: Callable[[], int]) -> int | BaseException:
    try:
        return look()
    except BaseException as error:
        return error
    finally:
        connection.close()
