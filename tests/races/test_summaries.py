"""What lists say of a product stays true when its variants sell out at the same moment."""

from __future__ import annotations

import threading

import pytest
from django.db import transaction

from catalog.models import Product, StockLevel
from catalog.services import stock, summaries
from tests.factories.catalog import ProductFactory, VariantFactory
from tests.races.threads import PATIENCE, at_once, meeting_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def make_variants() -> list[int]:
    product = ProductFactory()
    return [VariantFactory(product=product, stock=1).pk for _ in range(2)]


def is_shown_as_available() -> bool:
    assert [level.available for level in StockLevel.objects.all()] == [0, 0]
    return Product.objects.get().is_available


@pytest.mark.breaks_invariants  # There is no order behind the promises.
def test_a_product_whose_last_two_variants_go_at_the_same_moment_is_shown_as_sold_out() -> None:
    def take(variant_id: int) -> None:
        with transaction.atomic():
            stock.allocate({variant_id: 1}, reference="A")

    one, other = make_variants()
    results = meeting_at(Product.objects.all(), lambda: take(one), lambda: take(other))

    assert results == [None, None]
    assert is_shown_as_available() is False


@pytest.mark.breaks_invariants
def test_control_without_the_lock_on_the_product_it_stays_for_sale_with_nothing_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(summaries, "_LOCK", "SELECT %s::bigint[]")
    both_have_theirs = threading.Barrier(2)

    def take(variant_id: int) -> None:
        with transaction.atomic():
            stock.allocate({variant_id: 1}, reference="A")
            both_have_theirs.wait(PATIENCE)

    one, other = make_variants()
    results = at_once(lambda: take(one), lambda: take(other))

    assert results == [None, None]
    assert is_shown_as_available() is True
