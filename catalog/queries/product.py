"""The page of a product."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from pyroaring import BitMap

from catalog import index
from catalog.index import Snapshot
from catalog.index.ordering import BEST, list_page
from catalog.models import Attribute
from catalog.queries import variants
from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS, ProductCard, list_cards
from catalog.queries.facets import number_label
from catalog.queries.links import Crumb, category_url, product_url, seller_url
from catalog.queries.pictures import ASSET_COLUMNS, Picture, make_picture
from catalog.queries.rows import fetch_row, fetch_rows
from catalog.queries.sellers import SellerCard
from catalog.queries.variants import OptionAxis, VariantView
from shop.notes import read_from

RELATED = 4


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A product with one of its variants chosen; `canonical_url` names no variant."""

    title: str
    seller: SellerCard
    breadcrumbs: list[Crumb]
    short_description: str
    description: SafeString
    pictures: list[Picture]
    options: list[OptionAxis]
    variant: VariantView
    attributes: list[Fact]
    care: str
    origin: str
    tags: list[str]
    related: list[ProductCard]
    canonical_url: str


# Ancestors are found by their paths, each a start of the category's own.
_PRODUCT = f"""
SELECT p.id, p.title, p.short_description, p.description, p.care, p.origin, p.tags, p.category_id,
       s.slug, s.name, s.tagline, s.place, s.handling_days,
       ARRAY(
           SELECT ARRAY[above.name, above.path]
           FROM (SELECT string_to_array(category.path, '/') AS slugs) AS way
           CROSS JOIN LATERAL generate_series(1, cardinality(way.slugs)) AS depth
           JOIN catalog_category above ON above.path = array_to_string(way.slugs[1:depth], '/')
           ORDER BY depth
       )
FROM {FROM_PRODUCTS}
LEFT JOIN catalog_category category ON category.id = p.category_id
WHERE p.slug = %(slug)s AND {FOR_SALE}
"""


def get_product_page(slug: str, *, sku: str = "") -> ProductPage | None:
    """Return a product's page with the variant of that SKU, or its default one; None: not for sale.

    An unknown SKU, perhaps of an old link, shows the default variant.
    """
    row = fetch_row(_PRODUCT, {"slug": slug})
    if row is None:
        return None
    product_id, title, short, description, care, origin, tags, category_id, *seller, line = row
    read_from(f"product:{product_id}", f"pieces:{product_id}", f"category:{category_id}")
    buyable = variants.list_variants(product_id)
    if not buyable:
        return None
    chosen = variants.choose(buyable, sku)
    seller_slug, seller_name, tagline, place, handling_days = seller
    return ProductPage(
        title=title,
        seller=SellerCard(
            url=seller_url(seller_slug),
            name=seller_name,
            tagline=tagline,
            place=place,
            handling_days=handling_days,
        ),
        breadcrumbs=[Crumb(label=name, url=category_url(path)) for name, path in line],
        short_description=short,
        description=mark_safe(description),
        pictures=_list_pictures(product_id, title=title, first=chosen.image_id),
        options=variants.list_axes(product_id, slug=slug, variants=buyable, chosen=chosen),
        variant=variants.view(chosen),
        attributes=_list_facts(product_id),
        care=care,
        origin=origin,
        tags=tags,
        related=list_cards(_list_related(product_id, category_id)),
        canonical_url=product_url(slug),
    )


def _list_pictures(product_id: int, *, title: str, first: int | None) -> list[Picture]:
    rows = fetch_rows(
        f"""
        SELECT coalesce(nullif(image.alt, ''), %(title)s), {ASSET_COLUMNS}
        FROM catalog_productimage image JOIN catalog_imageasset asset ON asset.id = image.asset_id
        WHERE image.product_id = %(product)s
        ORDER BY image.id = %(first)s DESC, image.position, image.id
        """,
        {"product": product_id, "title": title, "first": first or 0},
    )
    pictures = (make_picture(*row) for row in rows)
    return [picture for picture in pictures if picture is not None]


def _list_facts(product_id: int) -> list[Fact]:
    """Return what the product states; several values of one attribute are one fact."""
    rows = fetch_rows(
        """
        SELECT attribute.name, attribute.kind, attribute.unit, value.text, value.number,
               value.boolean
        FROM catalog_attributevalue value
        JOIN catalog_attribute attribute ON attribute.id = value.attribute_id
        WHERE value.product_id = %(product)s
        ORDER BY attribute.position, attribute.name, attribute.id, value.id
        """,
        {"product": product_id},
    )
    facts: dict[str, list[str]] = {}
    for name, kind, unit, text, number, boolean in rows:
        words = _value_words(kind, unit, text, number, boolean)
        facts.setdefault(name, []).append(words)
    return [Fact(label=name, value=", ".join(values)) for name, values in facts.items()]


def _value_words(
    kind: str, unit: str, text: str, number: Decimal | None, boolean: bool | None
) -> str:
    if kind == Attribute.Kind.NUMBER and number is not None:
        return number_label(number, unit)
    if kind == Attribute.Kind.BOOLEAN and boolean is not None:
        return _("Yes") if boolean else _("No")
    return text


def _list_related(product_id: int, category_id: int | None) -> list[int]:
    """Name what sells best of the same category, what can be had first."""
    if category_id is None:
        return []
    snapshot = index.current()
    best = snapshot.memory.recall(
        f"category:{category_id}", "related", lambda: _list_best(snapshot, category_id)
    )
    return [related for related in best if related != product_id][:RELATED]


def _list_best(snapshot: Snapshot, category_id: int) -> list[int]:
    own = snapshot.own.get(category_id) or BitMap()
    in_stock, sold_out = own & snapshot.available, own - snapshot.available
    best = list_page(snapshot, in_stock, BEST, 0, RELATED + 1)
    return best + list_page(snapshot, sold_out, BEST, 0, RELATED + 1 - len(best))
