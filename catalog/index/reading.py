"""What the index reads from PostgreSQL: all of it when it is built, single products afterwards.

Ids and numbers come as bytes that PostgreSQL has put one behind the other, so a million products
are a few dozen large values and not a million rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from catalog.index.arrays import Ids
from catalog.index.snapshot import Attribute, Maker

FOR_SALE = "p.status = 'active' AND p.price_from IS NOT NULL AND s.status = 'active'"
"""What a shopper may see: of an active seller, with at least one variant that can be bought."""
TAKEN_CODES = frozenset(
    {"maker", "in_stock", "rating", "price_min", "price_max", "sort", "page", "from", "q"}
)
"""What addresses of listings mean by these is no attribute, even if one is called so."""
LONGEST_MINUTES = 10
_ROOMY = "SET LOCAL work_mem = '256MB'"
_PATIENT = f"SET LOCAL statement_timeout = '{LONGEST_MINUTES}min'"


@dataclass(frozen=True, slots=True)
class Products:
    """Columns of some products that are for sale, by ascending id."""

    ids: Ids
    category: NDArray[np.int32]
    seller: NDArray[np.int32]
    price: NDArray[np.int64]
    published: NDArray[np.int64]
    popularity: NDArray[np.int32]
    rating: NDArray[np.int32]
    rated: NDArray[np.int64]
    available: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stated:
    """Which products state one value of an attribute."""

    attribute_id: int
    facet: str
    label: str
    products: NDArray[np.uint32]


# Said otherwise than FOR_SALE, so that one pass over the table is enough: no join, however many
# sellers there are. The order of the rows does not matter, but it is one and the same for all columns.
_PRODUCTS = """
SELECT string_agg(int4send(p.id::int), ''::bytea),
       string_agg(int4send(coalesce(p.category_id, 0)::int), ''::bytea),
       string_agg(int4send(p.seller_id::int), ''::bytea),
       string_agg(int8send((p.price_from * 10000)::bigint), ''::bytea),
       string_agg(timestamptz_send(coalesce(p.published_at, 'infinity')), ''::bytea),
       string_agg(int4send(p.popularity), ''::bytea),
       string_agg(int4send((coalesce(p.rating, 0) * 100)::int), ''::bytea),
       string_agg(int4send(p.rating_count), ''::bytea),
       string_agg(boolsend(p.is_available), ''::bytea)
FROM catalog_product p
WHERE p.status = 'active' AND p.price_from IS NOT NULL
  AND p.seller_id = ANY(ARRAY(SELECT id FROM accounts_seller WHERE status = 'active')) {only}
"""
_KINDS = (">u4", ">i4", ">i4", ">i8", ">i8", ">i4", ">i4", ">i4", "?")

_STATEMENTS = """
SELECT value.attribute_id, value.facet, min(value.text),
       string_agg(int4send(value.product_id::int), ''::bytea)
FROM catalog_attributevalue value
WHERE value.attribute_id = ANY(ARRAY(
    SELECT id FROM catalog_attribute WHERE is_filter AND code <> ALL(%(taken)s)
)) {only}
GROUP BY value.attribute_id, value.facet
"""


@contextmanager
def at_leisure() -> Iterator[None]:
    """Allow for statements over everything: with room to work in, and time."""
    with transaction.atomic():
        fetch(_ROOMY)
        fetch(_PATIENT)
        yield


def fetch(sql: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Run one statement and return its rows; bytes come as they are, not as text."""
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor(binary=True) as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
    return rows


def read_products(only: Collection[int] | None = None) -> Products:
    """Read what is for sale; with `only`, what is for sale of these."""
    sql = _PRODUCTS.format(only="" if only is None else "AND p.id = ANY(%(only)s::bigint[])")
    row = fetch(sql, _only(only))[0]
    columns = [
        np.frombuffer(found or b"", dtype=kind) for found, kind in zip(row, _KINDS, strict=True)
    ]
    order = np.argsort(columns[0], kind="stable")
    ids, category, seller, price, published, popularity, rating, count, available = (
        column[order].astype(column.dtype.newbyteorder("=")) for column in columns
    )
    return Products(
        ids=ids,
        category=category,
        seller=seller,
        price=price,
        published=published,
        popularity=popularity,
        rating=rating,
        rated=(rating.astype(np.int64) << 32) + count,
        available=available,
    )


def read_statements(only: Collection[int] | None = None) -> list[Stated]:
    """Read who states what that shoppers filter by, whether or not it is for sale."""
    sql = _STATEMENTS.format(
        only="" if only is None else "AND value.product_id = ANY(%(only)s::bigint[])"
    )
    return [
        Stated(attribute_id, facet, label, np.frombuffer(products, ">u4").astype(np.uint32))
        for attribute_id, facet, label, products in fetch(
            sql, {"taken": sorted(TAKEN_CODES), **(_only(only) or {})}
        )
    ]


def read_attributes() -> dict[int, Attribute]:
    """Read the attributes that shoppers can filter by, in the order in which they are shown."""
    rows = fetch(
        """
        SELECT id, code, name, kind, unit FROM catalog_attribute
        WHERE is_filter AND code <> ALL(%(taken)s) ORDER BY position, name, id
        """,
        {"taken": sorted(TAKEN_CODES)},
    )
    return {row[0]: Attribute(*row) for row in rows}


def read_makers(only: Collection[int] | None = None) -> dict[int, Maker]:
    """Read the sellers who are active; with `only`, those of these."""
    rows = fetch(
        f"""
        SELECT id, slug, name FROM accounts_seller WHERE status = 'active'
        {"" if only is None else "AND id = ANY(%(only)s::bigint[])"}
        """,
        _only(only),
    )
    return {seller_id: Maker(slug, name) for seller_id, slug, name in rows}


def read_ways() -> dict[int, tuple[int, ...]]:
    """Read the tree of categories, as the way from each to its root."""
    parents: dict[int, int | None] = dict(fetch("SELECT id, parent_id FROM catalog_category"))
    ways: dict[int, tuple[int, ...]] = {}
    for category_id in parents:
        way, above = [category_id], parents[category_id]
        while above is not None and above not in way:
            way.append(above)
            above = parents.get(above)
        ways[category_id] = tuple(way)
    return ways


def read_swatches(only: Collection[int] | None = None) -> dict[str, str]:
    """Read which colour goes by which name; with `only`, as the options of these products say."""
    rows = fetch(
        f"""
        SELECT lower(value.label), min(value.swatch)
        FROM catalog_optionvalue value
        {"" if only is None else "JOIN catalog_option option ON option.id = value.option_id"}
        WHERE value.swatch <> ''
        {"" if only is None else "AND option.product_id = ANY(%(only)s::bigint[])"}
        GROUP BY 1
        """,
        _only(only),
    )
    return dict(rows)


def list_products_of(seller_ids: Collection[int]) -> list[int]:
    """Name all products of some sellers."""
    rows = fetch(
        "SELECT id FROM catalog_product WHERE seller_id = ANY(%(sellers)s::bigint[])",
        {"sellers": sorted(seller_ids)},
    )
    return [row[0] for row in rows]


def list_products_stating(attribute_ids: Collection[int]) -> list[int]:
    """Name all products that state something about some attributes."""
    rows = fetch(
        """
        SELECT DISTINCT product_id FROM catalog_attributevalue
        WHERE attribute_id = ANY(%(attributes)s::bigint[])
        """,
        {"attributes": sorted(attribute_ids)},
    )
    return [row[0] for row in rows]


def _only(ids: Collection[int] | None) -> dict[str, list[int]] | None:
    return None if ids is None else {"only": sorted(ids)}
