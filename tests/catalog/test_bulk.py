"""`manage.py demo --products N`: a made-up catalogue is as whole as one that people entered."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client

from accounts.models import Seller, User
from catalog.demo.bulk import tree
from catalog.demo.bulk.rows import COLUMNS
from catalog.models import (
    AttributeValue,
    Category,
    ImageAsset,
    Product,
    ProductImage,
    ProductVariant,
    StockLevel,
)
from catalog.queries import category_url, product_url
from catalog.services import indexing, summaries
from tests.factories.catalog import BuyableProductFactory
from tests.shared import shared

ALL = range(1, 61)


def run(**options: Any) -> str:
    output = io.StringIO()
    call_command("demo", stdout=output, **options)
    return output.getvalue()


def structure() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype <> 'n' UNION SELECT tablename, indexname, indexdef FROM pg_indexes"
            " WHERE schemaname = 'public' ORDER BY 1, 2, 3"
        )
        return cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_an_empty_shop_is_filled_with_whole_products(client: Client) -> None:
    before = structure()

    output = run(products=60)

    assert output.startswith("60 products in ")
    assert structure() == before
    assert Product.objects.filter(status="active", search__isnull=False).count() == 60
    assert Product.objects.filter(is_available=True).count() == 57
    assert ProductVariant.objects.filter(product_id=1).count() == 100
    assert ProductVariant.objects.count() == StockLevel.objects.count() == 267
    assert ProductImage.objects.count() == 180
    assert ImageAsset.objects.count() == 41
    assert AttributeValue.objects.filter(attribute__code="brand").count() == 60
    assert Seller.objects.count() == 40
    staff = User.objects.filter(is_staff=True)
    assert staff.count() == len(set(staff.values_list("name", flat=True))) == 10
    roots = Category.objects.filter(parent=None)
    assert roots.exclude(image=None).count() == roots.count() == 8


@pytest.mark.django_db(transaction=True)
def test_made_up_products_are_what_the_services_would_write() -> None:
    run(products=60)

    with transaction.atomic():
        assert summaries.refresh(ALL) == 0
        assert indexing.reindex(ALL) == 0


@pytest.mark.django_db(transaction=True)
def test_pages_of_a_made_up_shop_answer(client: Client) -> None:
    run(products=60)

    product = Product.objects.get(pk=1)
    category = Category.objects.get(pk=product.category_id)
    word = product.title.split()[0]
    for path in ("/", category_url(category.path), product_url(product.slug), f"/search/?q={word}"):
        page = client.get(path)
        assert page.status_code == 200
        assert path == "/" or product.title in page.text


@pytest.mark.django_db(transaction=True)
def test_rows_can_be_added_afterwards() -> None:
    run(products=5)

    product = BuyableProductFactory()

    assert product.pk == 6


@pytest.mark.django_db(transaction=True)
def test_the_tree_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tree.json.gz"
    ways = (
        ["Garden"],
        ["Garden", "Tools"],
        ["Garden", "Tools"],
        ["Garden", None, "Lost"],
        ["Toys"],
    )
    records = [{"path": [{"name": name} for name in way]} for way in ways]
    file.write_bytes(gzip.compress(json.dumps(records).encode()))

    run(products=10, categories=file)

    assert list(Category.objects.order_by("path").values_list("path", "name")) == [
        ("garden", "Garden"),
        ("garden/tools", "Tools"),
        ("toys", "Toys"),
    ]
    paths = set(Product.objects.values_list("category__path", flat=True))
    assert paths == {"garden/tools", "toys"}


def test_a_real_tree_is_read() -> None:
    nodes = tree.read_tree(shared("data/catalogues/bestbuy/categories.json.gz"))

    assert len(nodes) > 4000
    assert len({node.path for node in nodes}) == len(nodes)
    assert max(len(node.names) for node in nodes) == 6


@pytest.mark.django_db(transaction=True)
def test_a_shop_with_a_real_tree_is_filled_and_shown(client: Client) -> None:
    run(products=60, categories=shared("data/catalogues/bestbuy/categories.json.gz"))

    assert Category.objects.count() > 4000
    product = Product.objects.select_related("category").order_by("pk").first()
    assert product is not None
    assert product.category is not None
    listing = client.get(category_url(product.category.path))
    assert product.title in listing.content.decode()
    for page in ("/", product_url(product.slug)):
        answer = client.get(page)
        assert answer.status_code == 200, page
        assert len(answer.content) < 150_000, page


@pytest.mark.django_db
def test_a_shop_that_has_products_is_left_alone() -> None:
    BuyableProductFactory()

    with pytest.raises(CommandError, match="only an empty one can be filled"):
        run(products=10)

    assert Product.objects.count() == 1
    assert not ImageAsset.objects.exists()


@pytest.mark.django_db
def test_a_shop_that_has_products_is_passed_over_if_asked() -> None:
    BuyableProductFactory()

    assert run(products=10, if_empty=True) == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"products": 0}, "a number from 1 to"),
        ({"products": 10_000_000}, "a number from 1 to"),
        ({"categories": "tree.json"}, "goes with --products"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(**options)

    assert not Seller.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("content", ["", "[1]", "{}", '[{"path": 3}]', '[{"path": [{}]}]', "[]"])
def test_a_file_without_a_tree_is_named(content: str, tmp_path: Path) -> None:
    file = tmp_path / "tree.json"
    file.write_text(content)

    with pytest.raises(CommandError, match=r"tree\.json"):
        run(products=10, categories=file)


@pytest.mark.django_db
def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.json cannot be read: No such file"):
        run(products=10, categories=tmp_path / "none.json")


@pytest.mark.django_db(transaction=True)
def test_nothing_stays_of_a_run_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    before = structure()
    monkeypatch.setitem(COLUMNS, "catalog_stockmovement", "level_id, kind")

    with pytest.raises(CommandError, match="No product was written"):
        run(products=10)

    assert structure() == before
    assert not Product.objects.exists()
    assert not Seller.objects.exists()
