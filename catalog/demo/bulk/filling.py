"""Fills an empty shop with made-up products, in one transaction: all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TypeVar

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Seller
from catalog.demo.bulk import stated
from catalog.demo.bulk.products import Ground, Leaf, ProductMaker
from catalog.demo.bulk.rows import COLUMNS, PRODUCTS, Batch
from catalog.demo.bulk.search import SearchWriter
from catalog.demo.bulk.structure import set_aside
from catalog.demo.bulk.tree import Node, build_tree, plant, singular
from catalog.demo.bulk.words import SERIES
from catalog.models import Attribute, Category, ImageAsset, Product
from catalog.services import vocabulary
from shop.clock import now
from shop.errors import ShopError
from shop.models import TaxClass
from shop.services import changes
from shop.transactions import no_transaction, own_transaction

Tell = Callable[[str], None]
T = TypeVar("T")

MOST_PRODUCTS = 5_000_000
SELLERS = 40
BATCH = 5_000
TABLES = [*COLUMNS, "catalog_category", "catalog_attribute"]
TRADES = ("Workshop", "Goods", "& Daughters", "Trading", "Works", "Supply", "Store", "House")
PLACES = (
    ("Berlin", "DE"), ("Gothenburg", "SE"), ("Ghent", "BE"), ("Porto", "PT"), ("Bologna", "IT"),
    ("Lyon", "FR"), ("Graz", "AT"), ("Aarhus", "DK"), ("Leipzig", "DE"), ("Utrecht", "NL"),
)  # fmt: skip
_SETTINGS = """
SELECT set_config('maintenance_work_mem', '512MB', true),
       set_config('lock_timeout', '10s', true),
       set_config('statement_timeout', '0', true),
       set_config('idle_in_transaction_session_timeout', '0', true)
"""


class ShopNotEmpty(ShopError):
    """Made-up products were asked for where there is something already."""


def check_is_empty() -> None:
    """Raise `ShopNotEmpty` unless there is nothing that the new rows could collide with."""
    for model in (Product, Category, Attribute, Seller):
        if model._default_manager.exists():
            raise ShopNotEmpty(
                _("The shop has %(things)s already; only an empty one can be filled.")
                % {"things": model._meta.verbose_name_plural}
            )


@no_transaction
def fill(
    size: int,
    *,
    nodes: Sequence[Node] | None = None,
    photographs: Sequence[int] = (),
    tell: Tell = lambda text: None,
) -> None:
    """Write so many products with all that belongs to them; tax rates must be there.

    Products share the given `photographs` (ids of assets); without any, each gets rows of pictures
    that have no files. Raises `ShopNotEmpty`.
    """
    _write(size, nodes=nodes or build_tree(), photographs=photographs, tell=tell)
    tell("Counting words")
    vocabulary.count()
    tell("Gathering statistics")
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {', '.join(TABLES)}")


@own_transaction
def _write(size: int, *, nodes: Sequence[Node], photographs: Sequence[int], tell: Tell) -> None:
    check_is_empty()
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
    with set_aside(TABLES, tell=tell):
        maker = ProductMaker(_prepare(nodes, photographs))
        writer = SearchWriter()
        batches = (
            maker.make(range(start, min(start + BATCH, size + 1)))
            for start in range(1, size + 1, BATCH)
        )
        done = 0
        for batch in _made_ahead(batches):
            _copy(batch, writer)
            done += len(batch.words)
            tell(f"{done:,} of {size:,} products")
        _set_sequences()
    _picture_departments(size)
    writer.learn_words()
    changes.announce("everything")


def _prepare(nodes: Sequence[Node], photographs: Sequence[int]) -> Ground:
    """Write what products stand on: sellers, categories, attributes."""
    sellers = Seller.objects.bulk_create(
        Seller(
            slug=f"{name.lower()}-{number}",
            name=f"{name} {TRADES[number % len(TRADES)]}",
            tagline="",
            place=place,
            country=country,
        )
        for number, (name, (place, country)) in enumerate(
            zip(SERIES[-SELLERS:], PLACES * (SELLERS // len(PLACES)), strict=True), start=1
        )
    )
    category_ids = plant(nodes)
    attributes = stated.define()
    roots = list(dict.fromkeys(node.root for node in nodes))
    leaves = [
        Leaf(
            category_id=category_ids[node.path],
            noun=singular(node.names[-1]),
            names=node.names,
            stated=stated.of_department(roots.index(node.root), attributes),
        )
        for node in nodes
        if node.is_leaf
    ]
    Random(0).shuffle(leaves)
    last_asset = ImageAsset.objects.order_by("-pk").values_list("pk", flat=True).first()
    return Ground(
        sellers=[(seller.pk, seller.name) for seller in sellers],
        leaves=leaves,
        brand=attributes[0],
        colour=attributes[1],
        tax_class_id=TaxClass.objects.get(code="standard").pk,
        photographs=photographs,
        first_asset=(last_asset or 0) + 1,
        now=now(),
    )


def _made_ahead(items: Iterable[T]) -> Iterator[T]:
    """Make the next one while PostgreSQL takes in this one."""
    iterator = iter(items)
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(next, iterator, None)
        while (item := ahead.result()) is not None:
            ahead = pool.submit(next, iterator, None)
            yield item


def _copy(batch: Batch, writer: SearchWriter) -> None:
    with connection.wrap_database_errors, connection.cursor() as cursor:
        for table, columns in COLUMNS.items():
            if table == PRODUCTS:
                writer.copy_products(batch)
                continue
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in batch.tables[table]:
                    copy.write_row(row)


def _set_sequences() -> None:
    with connection.cursor() as cursor:
        for table, columns in COLUMNS.items():
            if columns.startswith("id,"):
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                )


def _picture_departments(size: int) -> None:
    """Show a product's picture with each category at the top of the tree."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE catalog_category AS category
            SET image_id = picture.asset_id, image_alt = category.name
            FROM catalog_productimage AS picture
            WHERE category.parent_id IS NULL AND picture.position = 0
              AND picture.product_id = 1 + mod(category.position, %(size)s)
            """,
            {"size": size},
        )
