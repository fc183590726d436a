from __future__ import annotations

import pytest
from django.contrib.postgres.search import SearchQuery
from django.db import transaction

from catalog.models import Product
from catalog.records import AttributeRecord, CategoryStep
from catalog.search.text import configuration, to_tsquery
from catalog.services import indexing, publishing
from tests.catalog.records import FIRST_COUNT, mug, vase
from tests.catalog.rows import fingerprint
from tests.factories.accounts import SellerFactory

pytestmark = pytest.mark.django_db


def find(text: str, weights: str = "ABCD") -> list[str]:
    raw = to_tsquery(text).replace(":*", f":*{weights}")
    query = SearchQuery(raw, config=configuration(), search_type="raw")
    return list(Product.objects.filter(search=query).values_list("slug", flat=True))


@pytest.fixture(autouse=True)
def _two_products() -> None:
    seller = SellerFactory(name="Havre Stengods")
    cup = mug(
        description="<p>Keeps coffee warm.</p>",
        tags=("breakfast",),
        category=(CategoryStep("table", "Table & kitchen"), CategoryStep("cups", "Cups")),
        attributes=(AttributeRecord("Material", ("Stoneware",)),),
    )
    publishing.save_product(cup, seller=seller, stock_taking=FIRST_COUNT)
    creme = vase(title="Crème vase")
    publishing.save_product(creme, seller=seller, stock_taking=FIRST_COUNT)


@pytest.mark.parametrize(
    ("words", "weight"),
    [
        ("dune", "A"),
        ("mugs", "A"),
        ("havre", "B"),
        ("breakfast", "B"),
        ("kitchen", "B"),
        ("moss", "B"),
        ("mug-ink", "B"),
        ("stoneware", "C"),
        ("coffee", "D"),
    ],
)
def test_product_is_found_by_what_it_says_where_it_says_it(words: str, weight: str) -> None:
    assert "dune-mug" in find(words.replace("-", " "), weight)


def test_accents_do_not_matter() -> None:
    assert find("creme") == find("CRÈME") == ["knop-vase"]


def test_changed_words_are_found_at_once_and_old_ones_no_longer() -> None:
    seller = Product.objects.get(slug="knop-vase").seller

    publishing.save_product(vase(title="Jug"), seller=seller, stock_taking=FIRST_COUNT)

    assert find("jug") == ["knop-vase"]
    assert find("creme") == []


def test_indexing_again_writes_no_row() -> None:
    before = fingerprint("catalog")

    with transaction.atomic():
        changed = indexing.reindex(list(Product.objects.values_list("pk", flat=True)))

    assert changed == 0
    assert fingerprint("catalog") == before


def test_every_product_can_be_indexed_anew() -> None:
    Product.objects.update(search=None)

    assert indexing.reindex_all() == 2
    assert find("dune") == ["dune-mug"]
