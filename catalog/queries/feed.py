"""The catalogue as Google's Merchant Center reads it: RSS 2.0 with fields of its own.

Fields, their lengths and formats: https://support.google.com/merchants/answer/7052112
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from django.conf import settings
from django.urls import reverse

from catalog.gtin import read_gtin
from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS
from catalog.queries.crumbs import LINE
from catalog.queries.links import absolute, product_url
from catalog.queries.pictures import Picture, list_product_pictures
from catalog.queries.rows import Row, fetch_rows
from catalog.queries.structured_data import BRAND
from catalog.queries.variants import IN_STOCK
from shop.money import quantize
from shop.richtext import shorten, to_text

NAMESPACE = "http://base.google.com/ns/1.0"
BATCH = 500
LONGEST_ID = 50
LONGEST = {
    "title": 150, "description": 5000, "brand": 70, "mpn": 70, "color": 100, "size": 100,
    "material": 200, "pattern": 100, "product_type": 750,
}  # fmt: skip
MOST_PICTURES = 10
DETAILS = {
    "color": {"color", "colour", "farbe", "glaze", "glasur"},
    "size": {"size", "groesse", "grosse", "größe"},
    "material": {"material"},
    "pattern": {"pattern", "muster"},
}
"""Options and attributes, by folded names, that are fields of Google's."""
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Item = dict[str, str | list[str]]


def write_feed() -> Iterator[str]:
    """Write the feed piece by piece, some products at a time, however many there are."""
    shop, home = _text(settings.SHOP_NAME), absolute(reverse("catalog:home"))
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="{NAMESPACE}">\n'
        f"<channel>\n<title>{shop}</title>\n<link>{escape(home)}</link>\n"
        f"<description>{_text(settings.SHOP_TAGLINE)}</description>\n"
    )
    for items in list_batches():
        yield "".join(map(_write_item, items))
    yield "</channel>\n</rss>\n"


def list_batches() -> Iterator[list[Item]]:
    """List what can be advertised, a batch of products at a time.

    Google takes nothing without a photograph, and nothing that is free.
    """
    last = 0
    while products := _fetch_products(after=last):
        last = products[-1].id
        yield _make_items(products)


@dataclass(frozen=True, slots=True)
class _Product:
    id: int
    slug: str
    title: str
    description: str
    maker: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Variant:
    id: int
    sku: str
    barcode: str
    label: str
    price: Decimal
    compare_at: Decimal | None
    weight: int
    image_id: int | None
    in_stock: bool


def _fetch_products(*, after: int) -> list[_Product]:
    rows = fetch_rows(
        f"""
        SELECT p.id, p.slug, p.title, p.short_description, p.description, s.name,
               {LINE}
        FROM {FROM_PRODUCTS}
        LEFT JOIN catalog_category category ON category.id = p.category_id
        WHERE {FOR_SALE} AND p.id > %(after)s ORDER BY p.id LIMIT {BATCH}
        """,
        {"after": after},
    )
    return [
        _Product(
            id=product_id,
            slug=slug,
            title=title,
            description=" ".join(filter(None, [short, to_text(description)])) or title,
            maker=maker,
            kind=" > ".join(name for name, _path in line),
        )
        for product_id, slug, title, short, description, maker, line in rows
    ]


def _make_items(products: Sequence[_Product]) -> list[Item]:
    ids = [product.id for product in products]
    variants = _fetch_variants(ids)
    pictures = list_product_pictures(ids)
    stated = _fetch_stated(ids)
    chosen = _fetch_chosen(ids)
    return [
        _make_item(
            product,
            variant,
            is_one_of_many=len(variants[product.id]) > 1,
            pictures=shown,
            facts=stated[product.id] | chosen[variant.id],
        )
        for product in products
        for variant in variants[product.id]
        if variant.price and (shown := _order(pictures.get(product.id, []), variant.image_id))
    ]


def _make_item(
    product: _Product,
    variant: _Variant,
    *,
    is_one_of_many: bool,
    pictures: Sequence[Picture],
    facts: Mapping[str, str],
) -> Item:
    is_reduced = variant.compare_at is not None and variant.compare_at > variant.price
    brand, gtin = facts.get(BRAND, ""), read_gtin(variant.barcode)
    mpn = facts.get("mpn", "") if not is_one_of_many else ""
    title = f"{product.title} – {variant.label}" if variant.label else product.title
    item: Item = {
        "id": variant.sku if len(variant.sku) <= LONGEST_ID else f"variant-{variant.id}",
        "title": title,
        "description": product.description,
        "link": absolute(product_url(product.slug, sku=variant.sku if is_one_of_many else "")),
        "image_link": pictures[0].absolute,
        "additional_image_link": [each.absolute for each in pictures[1 : MOST_PICTURES + 1]],
        "availability": "in_stock" if variant.in_stock else "out_of_stock",
        "price": _amount(variant.compare_at if is_reduced else variant.price),
        "sale_price": _amount(variant.price) if is_reduced else "",
        "brand": brand or product.maker,
        "gtin": gtin,
        "mpn": mpn,
        "identifier_exists": "" if gtin or (mpn and brand) else "no",
        "condition": "new",
        "item_group_id": f"product-{product.id}" if is_one_of_many else "",
        "product_type": product.kind,
        "shipping_weight": f"{variant.weight} g" if variant.weight else "",
        **{field: facts.get(field, "") for field in DETAILS},
    }
    return {
        field: shorten(value, most=LONGEST[field] - 1)
        if field in LONGEST and isinstance(value, str)
        else value
        for field, value in item.items()
        if value
    }


def _fetch_variants(product_ids: Sequence[int]) -> Mapping[int, list[_Variant]]:
    rows = fetch_rows(
        f"""
        SELECT variant.product_id, variant.id, variant.sku, variant.barcode, variant.label,
               variant.price, variant.compare_at_price, variant.weight_grams, variant.image_id,
               {IN_STOCK}
        FROM catalog_productvariant variant
        LEFT JOIN catalog_stocklevel level ON level.variant_id = variant.id
        WHERE variant.product_id = ANY(%(products)s) AND variant.is_active
        ORDER BY variant.product_id, variant.position, variant.id
        """,
        {"products": list(product_ids)},
    )
    return _group(rows, lambda row: _Variant(*row))


def _order(pictures: Sequence[tuple[int, Picture]], first: int | None) -> list[Picture]:
    """Return the pictures, the variant's own one first."""
    own = [picture for image_id, picture in pictures if image_id == first]
    return own + [picture for image_id, picture in pictures if image_id != first]


def _fetch_stated(product_ids: Sequence[int]) -> Mapping[int, dict[str, str]]:
    """Return what products state of themselves as fields; several values are joined."""
    rows = fetch_rows(
        """
        SELECT value.product_id, attribute.code, string_agg(value.text, '/' ORDER BY value.id)
        FROM catalog_attributevalue value
        JOIN catalog_attribute attribute ON attribute.id = value.attribute_id
        WHERE value.product_id = ANY(%(products)s) AND attribute.code = ANY(%(codes)s)
              AND value.text <> ''
        GROUP BY value.product_id, attribute.code
        """,
        {"products": list(product_ids), "codes": [BRAND, "mpn", *_FIELDS]},
    )
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for product_id, code, text in rows:
        found[product_id][_FIELDS.get(str(code), str(code))] = text
    return found


def _fetch_chosen(product_ids: Sequence[int]) -> Mapping[int, dict[str, str]]:
    """Return the values of options as fields, by variant."""
    rows = fetch_rows(
        """
        SELECT variant.id, lower(option.name), value.label
        FROM catalog_productvariant variant
        JOIN catalog_productvariant_option_values chosen ON chosen.productvariant_id = variant.id
        JOIN catalog_optionvalue value ON value.id = chosen.optionvalue_id
        JOIN catalog_option option ON option.id = value.option_id
        WHERE variant.product_id = ANY(%(products)s) AND lower(option.name) = ANY(%(names)s)
        """,
        {"products": list(product_ids), "names": list(_FIELDS)},
    )
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for variant_id, name, label in rows:
        found[variant_id][_FIELDS[name]] = label
    return found


_FIELDS: dict[str, str] = {name: field for field, names in DETAILS.items() for name in names}


def _group(rows: Sequence[Row], make: Any) -> Mapping[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for key, *columns in rows:
        found[key].append(make(columns))
    return found


def _amount(price: Decimal | None) -> str:
    assert price is not None
    return f"{quantize(price, settings.SHOP_CURRENCY)} {settings.SHOP_CURRENCY}"


def _text(value: str) -> str:
    return escape(_NOT_IN_XML.sub("", value))


def _write_item(item: Item) -> str:
    lines = [
        f"<g:{field}>{_text(each)}</g:{field}>"
        for field, value in item.items()
        for each in ([value] if isinstance(value, str) else value)
    ]
    return "<item>\n" + "\n".join(lines) + "\n</item>\n"
