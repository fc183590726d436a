"""Reads the catalogue out page by page, as product records, all of one moment.

However many products there are, only a page of them is in memory: `fetch_rows` per table and page,
found by primary key. The caller opens the `snapshot`, in which nothing changes meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urljoin

from django.conf import settings
from django.db import connection, transaction

from catalog import facts
from catalog.models import Attribute, Product
from catalog.queries.rows import Row, fetch_rows
from catalog.records import (
    AttributeRecord,
    CategoryStep,
    ImageRecord,
    OptionRecord,
    OptionValueRecord,
    ProductRecord,
    VariantRecord,
)
from shop.money import quantize

PAGE = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """Which products: those with the `ids`, or all of the `sellers`; None: no such limit."""

    ids: Sequence[int] | None = None
    sellers: Collection[int] | None = None


EVERYTHING = Choice()


@dataclass(frozen=True, slots=True)
class OwnedProduct:
    """A product and the slug of its seller."""

    record: ProductRecord
    seller: str


@contextmanager
def snapshot() -> Iterator[None]:
    """Open a transaction that sees the database as it is now until it ends, and writes nothing."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(durable=True):
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def count(choice: Choice) -> int:
    """Say how many products there are to read."""
    condition, params = _limit(choice)
    return int(
        fetch_rows(f"SELECT count(*) FROM catalog_product product WHERE {condition}", params)[0][0]
    )


def count_axes() -> int:
    """Say how many options the product with the most of them has."""
    rows = fetch_rows(
        """
        SELECT coalesce(max(axes), 0)
        FROM (SELECT count(*) AS axes FROM catalog_option GROUP BY product_id) AS counted
        """
    )
    return int(rows[0][0])


def read(choice: Choice) -> Iterator[OwnedProduct]:
    """Read products in the order in which they came into the shop."""
    names: dict[str, str] = dict(fetch_rows("SELECT path, name FROM catalog_category"))
    for rows in _read_pages(choice):
        yield from _Page(rows, names).products()


_PRODUCTS = """
SELECT product.id, seller.slug, category.path, tax_class.code, product.slug, product.title,
       product.short_description, product.description, product.care, product.origin, product.tags,
       product.status, product.published_at, product.seo_title, product.seo_description
FROM catalog_product product
JOIN accounts_seller seller ON seller.id = product.seller_id
JOIN shop_taxclass tax_class ON tax_class.id = product.tax_class_id
LEFT JOIN catalog_category category ON category.id = product.category_id
WHERE {condition} AND product.id > %(last)s
ORDER BY product.id
LIMIT {page}
"""
_OPTIONS = """
SELECT option.product_id, option.id, option.name, value.id, value.label, value.swatch
FROM catalog_option option
LEFT JOIN catalog_optionvalue value ON value.option_id = option.id
WHERE option.product_id = ANY(%(ids)s)
ORDER BY option.product_id, option.position, option.id, value.position, value.id
"""
_VARIANTS = """
SELECT variant.product_id, variant.sku, variant.price, variant.compare_at_price, variant.cost,
       variant.weight_grams, variant.barcode, variant.tracks_stock, level.on_hand,
       variant.low_stock_at, variant.is_active, variant.image_id,
       ARRAY(
           SELECT chosen.optionvalue_id FROM catalog_productvariant_option_values chosen
           WHERE chosen.productvariant_id = variant.id
       )
FROM catalog_productvariant variant
LEFT JOIN catalog_stocklevel level ON level.variant_id = variant.id
WHERE variant.product_id = ANY(%(ids)s)
ORDER BY variant.product_id, variant.position, variant.id
"""
_IMAGES = """
SELECT image.product_id, image.id, asset.original, image.alt
FROM catalog_productimage image JOIN catalog_imageasset asset ON asset.id = image.asset_id
WHERE image.product_id = ANY(%(ids)s)
ORDER BY image.product_id, image.position, image.id
"""
_FACTS = """
SELECT value.product_id, attribute.code, attribute.name, attribute.kind, attribute.unit,
       attribute.is_filter, attribute.position, value.text, value.number, value.boolean
FROM catalog_attributevalue value JOIN catalog_attribute attribute ON attribute.id = value.attribute_id
WHERE value.product_id = ANY(%(ids)s)
ORDER BY value.product_id, attribute.position, attribute.name, attribute.id, value.id
"""
_COLLECTIONS = """
SELECT item.product_id, collection.slug, collection.name
FROM catalog_collectionitem item JOIN catalog_collection collection ON collection.id = item.collection_id
WHERE item.product_id = ANY(%(ids)s) AND collection.kind = 'hand'
ORDER BY item.product_id, collection.slug
"""


def _limit(choice: Choice) -> tuple[str, dict[str, Any]]:
    conditions = ["true"]
    params: dict[str, Any] = {}
    if choice.ids is not None:
        conditions.append("product.id = ANY(%(ids)s)")
        params["ids"] = list(choice.ids)
    if choice.sellers is not None:
        conditions.append("product.seller_id = ANY(%(sellers)s)")
        params["sellers"] = list(choice.sellers)
    return " AND ".join(conditions), params


def _read_pages(choice: Choice) -> Iterator[list[Row]]:
    if choice.ids is not None:
        ids = sorted(choice.ids)
        for start in range(0, len(ids), PAGE):
            yield _read_page(replace(choice, ids=ids[start : start + PAGE]))
        return
    last = 0
    while rows := _read_page(choice, after=last):
        yield rows
        last = rows[-1][0]


def _read_page(choice: Choice, *, after: int = 0) -> list[Row]:
    condition, params = _limit(choice)
    sql = _PRODUCTS.format(condition=condition, page=PAGE)
    return fetch_rows(sql, {**params, "last": after})


class _Page:
    """A page of products with all that belongs to them."""

    def __init__(self, rows: list[Row], names: Mapping[str, str]) -> None:
        self.rows = rows
        self.names = names
        ids = {"ids": [row[0] for row in rows]}
        self.options = _by_product(fetch_rows(_OPTIONS, ids))
        self.variants = _by_product(fetch_rows(_VARIANTS, ids))
        self.images = _by_product(fetch_rows(_IMAGES, ids))
        self.facts = _by_product(fetch_rows(_FACTS, ids))
        self.collections = _by_product(fetch_rows(_COLLECTIONS, ids))

    def products(self) -> Iterator[OwnedProduct]:
        for product_id, seller, path, tax_class, *words in self.rows:
            (slug, title, short, description, care, origin, tags, status, published_at) = words[:9]
            options, places = _read_options(self.options.get(product_id, ()))
            sources = {row[0]: picture_url(row[1]) for row in self.images.get(product_id, ())}
            yield OwnedProduct(
                ProductRecord(
                    handle=slug,
                    title=title,
                    short_description=short,
                    description=description,
                    care=care,
                    origin=origin,
                    tags=tuple(tags),
                    collections=tuple(
                        CategoryStep(*row) for row in self.collections.get(product_id, ())
                    ),
                    category=self._name_steps(path),
                    tax_class=tax_class,
                    status=Product.Status(status),
                    options=options,
                    variants=tuple(
                        _read_variants(
                            self.variants.get(product_id, ()), places, len(options), sources
                        )
                    ),
                    attributes=tuple(_read_facts(self.facts.get(product_id, ()))),
                    images=tuple(
                        ImageRecord(sources[row[0]], row[2])
                        for row in self.images.get(product_id, ())
                    ),
                    published_at=published_at,
                    seo_title=words[9],
                    seo_description=words[10],
                ),
                seller,
            )

    def _name_steps(self, path: str | None) -> tuple[CategoryStep, ...]:
        if path is None:
            return ()
        slugs = path.split("/")
        paths = ["/".join(slugs[: depth + 1]) for depth in range(len(slugs))]
        return tuple(
            CategoryStep(slug, self.names.get(above, slug))
            for slug, above in zip(slugs, paths, strict=True)
        )


def picture_url(original: str) -> str:
    """Return the whole address of a stored picture, for those who are not in the shop."""
    return urljoin(f"{settings.SHOP_URL}/", f"{settings.MEDIA_URL}{quote(original)}")


def _by_product(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for product_id, *cells in rows:
        found[product_id].append(tuple(cells))
    return found


def _read_options(
    rows: Iterable[Row],
) -> tuple[tuple[OptionRecord, ...], dict[int, tuple[int, str]]]:
    """Return the options, and the axis and label of every value by its id."""
    names: dict[int, str] = {}
    values: dict[int, list[OptionValueRecord]] = defaultdict(list)
    places: dict[int, tuple[int, str]] = {}
    for option_id, name, value_id, label, swatch in rows:
        names[option_id] = name
        if value_id is not None:
            values[option_id].append(OptionValueRecord(label, swatch))
            places[value_id] = len(names) - 1, label
    options = tuple(OptionRecord(name, tuple(values[each])) for each, name in names.items())
    return options, places


def _read_variants(
    rows: Sequence[Row],
    places: Mapping[int, tuple[int, str]],
    axes: int,
    sources: Mapping[int, str],
) -> Iterator[VariantRecord]:
    """Read what is for sale, and what is not as far as it still has its place among the options."""
    chosen = [_read_choice(row[-1], places, axes) for row in rows]
    for_sale = {labels for labels, row in zip(chosen, rows, strict=True) if row[9]}
    taken: set[tuple[str, ...]] = set()
    for labels, row in zip(chosen, rows, strict=True):
        sku, price, compare_at, cost, weight, barcode, tracks_stock, on_hand, low, is_active = row[
            :10
        ]
        if not is_active and (labels in for_sale or labels in taken or "" in labels):
            continue
        taken.add(labels)
        yield VariantRecord(
            sku=sku,
            options=labels,
            price=_amount(price),
            compare_at_price=None if compare_at is None else _amount(compare_at),
            cost=None if cost is None else _amount(cost),
            weight_grams=weight,
            barcode=barcode,
            tracks_stock=tracks_stock,
            stock=on_hand if tracks_stock else None,
            low_stock_at=low,
            is_active=is_active,
            image=sources.get(row[10], ""),
        )


def _read_choice(
    value_ids: Iterable[int], places: Mapping[int, tuple[int, str]], axes: int
) -> tuple[str, ...]:
    """Return a variant's values in the order of the options; "" where it has none."""
    labels = [""] * axes
    for value_id in value_ids:
        if value_id in places:
            axis, label = places[value_id]
            labels[axis] = label
    return tuple(labels)


def _read_facts(rows: Iterable[Row]) -> Iterator[AttributeRecord]:
    values: dict[Row, list[str]] = defaultdict(list)
    for row in rows:
        values[row[:6]].append(facts.write_value(*row[6:], unit=row[3]))
    for (code, name, kind, unit, is_filter, position), words in values.items():
        yield AttributeRecord(
            name=name,
            values=tuple(words),
            kind=Attribute.Kind(kind),
            unit=unit,
            is_filter=is_filter,
            position=position,
            code=code,
        )


def _amount(amount: Decimal) -> Decimal:
    return quantize(amount, settings.SHOP_CURRENCY)
