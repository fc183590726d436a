"""Products that their records would leave as they are, recognised many at a time.

Nothing is written, and only what is surely the same is named; for everything else
`publishing.write_product` looks again, with the rows as they are then. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.db.models import Prefetch

from catalog import facts
from catalog.errors import ProductRefused
from catalog.models import (
    Attribute,
    AttributeValue,
    Category,
    Product,
    ProductImage,
    ProductVariant,
)
from catalog.record_rules import check
from catalog.records import CategoryStep, OptionRecord, ProductRecord
from catalog.services import assortment, newcomers, publishing
from catalog.services.newcomers import Newcomer
from catalog.services.publishing import StockTaking
from catalog.services.rows import assign, choose_positions
from shop.models import TaxClass
from shop.transactions import inside_transaction

_WITH_ALL_PARTS = (
    "images",
    "options__values",
    Prefetch("variants", ProductVariant.objects.select_related("stock_level")),
    "variants__option_values",
    "attribute_values",
)


@inside_transaction
def find(wanted: Mapping[int, Newcomer], *, stock_taking: StockTaking) -> dict[int, Product]:
    """Return the products that stay as they are, by their places among the wanted.

    Finds each by its handle alone, and none at all when shelves are to be counted anew.
    """
    if not wanted or stock_taking.recounts:
        return {}
    products = _load(wanted)
    if not products:
        return {}
    records = [wanted[place].record for place in products]
    shop = _Shop(
        categories=newcomers.find_categories(record.category for record in records),
        tax_classes={row.code: row for row in TaxClass.objects.all()},
        attributes=_find_attributes(records),
    )
    return {
        place: product
        for place, product in products.items()
        if _is_same(product, wanted[place], shop)
    }


@dataclass(frozen=True, slots=True)
class _Shop:
    """What the shop has of all that the records name."""

    categories: Mapping[tuple[CategoryStep, ...], Category | None]
    tax_classes: Mapping[str, TaxClass]
    attributes: Mapping[str, Attribute]


def _load(wanted: Mapping[int, Newcomer]) -> dict[int, Product]:
    """Find the products by their handles, with all their parts, as `write_product` finds them."""
    slugs = {
        place: publishing.list_slugs(each.record, each.seller) for place, each in wanted.items()
    }
    rows = Product.objects.filter(slug__in={slug for each in slugs.values() for slug in each})
    known = {
        (row.slug, row.seller_id): row
        for row in rows.defer("search").prefetch_related(*_WITH_ALL_PARTS)
    }
    found: dict[int, Product] = {}
    for place, names in slugs.items():
        own = [known.get((slug, wanted[place].seller.pk)) for slug in names]
        product = next(filter(None, own), None)
        if product:
            found[place] = product
    return found


def _find_attributes(records: Iterable[ProductRecord]) -> dict[str, Attribute]:
    codes = {assortment.get_code(each) for record in records for each in record.attributes}
    return {row.code: row for row in Attribute.objects.filter(code__in=codes)}


def _is_same(product: Product, wanted: Newcomer, shop: _Shop) -> bool:
    record = wanted.record
    try:
        check(record)
    except ProductRefused:
        return False
    tax_class = shop.tax_classes.get(record.tax_class)
    category = shop.categories.get(record.category)
    if tax_class is None or (record.category and category is None):
        return False
    return (
        not publishing.describe(product, record, category=category, tax_class=tax_class)
        and _has_images(product, wanted)
        and _has_options(product, record.options)
        and _has_variants(product, wanted)
        and _has_facts(product, record, shop.attributes)
    )


def _has_images(product: Product, wanted: Newcomer) -> bool:
    alts: dict[int, str] = {}
    for image in wanted.record.images:
        if image.source in wanted.assets:
            alts.setdefault(wanted.assets[image.source].pk, image.alt.strip()[:250])
    if not alts:
        return True
    rows = _in_order({image.asset_id: image for image in product.images.all()}, alts)
    return rows is not None and [image.alt for image in rows] == list(alts.values())


def _has_options(product: Product, options: Sequence[OptionRecord]) -> bool:
    rows = _in_order(
        {option.name: option for option in product.options.all()},
        [option.name for option in options],
    )
    if rows is None:
        return False
    for row, option in zip(rows, options, strict=True):
        values = _in_order(
            {value.label: value for value in row.values.all()},
            [choice.label for choice in option.values],
        )
        if values is None:
            return False
        for value, choice in zip(values, option.values, strict=True):
            if choice.swatch not in (None, value.swatch):
                return False
    return True


def _has_variants(product: Product, wanted: Newcomer) -> bool:
    record = wanted.record
    by_sku = {row.sku: row for row in product.variants.all()}
    named = dict(assortment.name_skus(product.slug, record))
    if len(named) != len(record.variants) or not named.keys() <= by_sku.keys():
        return False
    rest = by_sku.keys() - named.keys()
    if "variants" not in record.unsaid and any(by_sku[sku].is_active for sku in rest):
        return False
    if _in_order({sku: by_sku[sku] for sku in named}, named) is None:
        return False
    pictures = _name_pictures(product, wanted)
    values = {
        (axis, value.label): value.pk
        for axis, option in enumerate(
            sorted(product.options.all(), key=attrgetter("position", "pk"))
        )
        for value in option.values.all()
    }
    for sku, variant in named.items():
        row = by_sku[sku]
        columns = assortment.describe_variant(
            variant, row, sku=sku, position=row.position, pictures=pictures
        )
        for name in record.unsaid & columns.keys():
            del columns[name]
        chosen = {values.get((axis, label)) for axis, label in enumerate(variant.options)}
        if assign(row, **columns) or chosen != {value.pk for value in row.option_values.all()}:
            return False
        if row.tracks_stock and getattr(row, "stock_level", None) is None:
            return False
    return True


def _name_pictures(product: Product, wanted: Newcomer) -> dict[str, ProductImage]:
    by_asset = {image.asset_id: image for image in product.images.all()}
    return {
        image.source: by_asset[wanted.assets[image.source].pk]
        for image in wanted.record.images
        if image.source in wanted.assets
    }


def _has_facts(
    product: Product, record: ProductRecord, attributes: Mapping[str, Attribute]
) -> bool:
    """Say whether the product has these facts; what it has of other attributes does not count."""
    named = {assortment.get_code(each) for each in record.attributes}
    if not named <= attributes.keys():
        return False
    ids = {attributes[code].pk for code in named}
    present: dict[tuple[int, str], AttributeValue] = {
        (value.attribute_id, value.facet): value
        for value in product.attribute_values.all()
        if value.attribute_id in ids
    }
    for each in record.attributes:
        attribute = attributes[assortment.get_code(each)]
        for fact in facts.read(each.values, kind=attribute.kind, unit=attribute.unit):
            row = present.pop((attribute.pk, fact.facet), None)
            if row is None:
                return False
            if assign(row, text=fact.text, number=fact.number, boolean=fact.boolean):
                return False
    return not present


def _in_order(rows: Mapping[Any, Any], names: Iterable[Any]) -> list[Any] | None:
    """Return the rows as the names have them; None unless these are all and stand in that order."""
    names = list(names)
    if len(names) != len(rows) or rows.keys() != set(names):
        return None
    found = [rows[name] for name in names]
    return found if choose_positions(found) == [row.position for row in found] else None
