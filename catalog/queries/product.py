"""The page of a product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from pyroaring import BitMap

from catalog import index
from catalog.index import Snapshot
from catalog.index.ordering import BEST, list_page
from catalog.models import Attribute
from catalog.queries import structured_data, variants
from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS, ProductCard, list_cards
from catalog.queries.crumbs import LINE, make_crumbs
from catalog.queries.facets import number_label
from catalog.queries.links import Crumb, product_url, seller_url
from catalog.queries.pictures import ASSET_COLUMNS, Picture, make_picture
from catalog.queries.reviews import Reviews, get_first_reviews
from catalog.queries.rows import fetch_row, fetch_rows
from catalog.queries.sellers import SellerCard
from catalog.queries.structured_data import BRAND
from catalog.queries.variants import OptionAxis, OptionChoice, VariantView
from shop.notes import read_from
from shop.richtext import shorten, to_text

RELATED = 4
MOST_BEST = 2 * RELATED + 1
"""The product itself and what is shown above as bought with it may be among them."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is stated; `code` is the attribute's."""

    label: str
    value: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A product with one of its variants chosen; `canonical_url` names no variant."""

    id: int
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
    reviews: Reviews
    bought_together: list[ProductCard]
    related: list[ProductCard]
    canonical_url: str
    page_title: str
    page_description: str
    structured_data: SafeString

    @property
    def has_sold_out(self) -> bool:
        """Say whether one of the links of the picker is crossed out."""
        return any(not choice.available for choice in self._list_links())

    @property
    def has_unmade(self) -> bool:
        """Say whether one of them is dashed."""
        return any(choice.missing and choice.available for choice in self._list_links())

    @property
    def has_limits(self) -> bool:
        return self.has_sold_out or self.has_unmade

    def _list_links(self) -> list[OptionChoice]:
        return [choice for axis in self.options if not axis.is_long for choice in axis.values]


_PRODUCT = f"""
SELECT p.id, p.title, p.short_description, p.description, p.care, p.origin, p.tags, p.category_id,
       p.seo_title, p.seo_description,
       s.slug, s.name, s.tagline, s.place, s.handling_days,
       {LINE},
       ARRAY(
           SELECT relation.other_id FROM catalog_productrelation relation
           WHERE relation.product_id = p.id ORDER BY relation.position, relation.id
       ),
       ARRAY(
           SELECT companion.other_id FROM catalog_boughttogether companion
           WHERE companion.product_id = p.id
           ORDER BY companion.orders DESC, companion.id
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
    product_id, title, short, description, care, origin, tags, category_id, *rest = row
    seo_title, seo_description, *seller, line, by_hand, companions = rest
    read_from(f"product:{product_id}", f"pieces:{product_id}", f"category:{category_id}")
    # Also of what is not for sale just now: the day it is, the page shows it.
    read_from(*(f"product:{other}" for other in (*by_hand, *companions)))
    buyable = variants.list_variants(product_id)
    if not buyable:
        return None
    chosen = variants.choose(buyable, sku)
    bought_together, related = _list_others(
        product_id, companions, [*by_hand, *_list_best_of(category_id)]
    )
    seller_slug, seller_name, tagline, place, handling_days = seller
    breadcrumbs = make_crumbs(line)
    pictures = _list_pictures(product_id, title=title, first=chosen.image_id)
    attributes = _list_facts(product_id)
    reviews = get_first_reviews(product_id, slug=slug, seller_name=seller_name)
    words = short or to_text(description)
    return ProductPage(
        id=product_id,
        title=title,
        seller=SellerCard(
            url=seller_url(seller_slug),
            name=seller_name,
            tagline=tagline,
            place=place,
            handling_days=handling_days,
        ),
        breadcrumbs=breadcrumbs,
        short_description=short,
        description=mark_safe(description),
        pictures=pictures,
        options=variants.list_axes(product_id, slug=slug, variants=buyable, chosen=chosen),
        variant=variants.view(chosen),
        attributes=attributes,
        care=care,
        origin=origin,
        tags=tags,
        reviews=reviews,
        bought_together=bought_together,
        related=related,
        canonical_url=product_url(slug),
        page_title=seo_title or title,
        page_description=seo_description or shorten(words),
        structured_data=structured_data.write(
            structured_data.describe_product(
                structured_data.ProductFacts(
                    slug=slug,
                    title=title,
                    description=words,
                    brand=next((fact.value for fact in attributes if fact.code == BRAND), "")
                    or seller_name,
                    seller=seller_name,
                    seller_url=seller_url(seller_slug),
                    breadcrumbs=breadcrumbs,
                    pictures=pictures,
                    variants=buyable,
                    reviews=reviews,
                )
            )
        ),
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
        SELECT attribute.code, attribute.name, attribute.kind, attribute.unit, value.text,
               value.number, value.boolean
        FROM catalog_attributevalue value
        JOIN catalog_attribute attribute ON attribute.id = value.attribute_id
        WHERE value.product_id = %(product)s
        ORDER BY attribute.position, attribute.name, attribute.id, value.id
        """,
        {"product": product_id},
    )
    facts: dict[tuple[str, str], list[str]] = {}
    for code, name, kind, unit, text, number, boolean in rows:
        words = _value_words(kind, unit, text, number, boolean)
        facts.setdefault((code, name), []).append(words)
    return [
        Fact(label=name, value=", ".join(values), code=code)
        for (code, name), values in facts.items()
    ]


def _value_words(
    kind: str, unit: str, text: str, number: Decimal | None, boolean: bool | None
) -> str:
    if kind == Attribute.Kind.NUMBER and number is not None:
        return number_label(number, unit)
    if kind == Attribute.Kind.BOOLEAN and boolean is not None:
        return _("Yes") if boolean else _("No")
    return text


def _list_others(
    product_id: int, companions: Sequence[int], related: Sequence[int]
) -> tuple[list[ProductCard], list[ProductCard]]:
    """Return what is bought with it, then what goes with it besides: each for sale, and once."""
    for_sale = index.current().for_sale
    bought = [other for other in companions if other in for_sale][:RELATED]
    besides = [
        other
        for other in dict.fromkeys(related)
        if other in for_sale and other not in (product_id, *bought)
    ][:RELATED]
    cards = list_cards([*bought, *besides])
    return (
        [card for card in cards if card.id in bought],
        [card for card in cards if card.id in besides],
    )


def _list_best_of(category_id: int | None) -> list[int]:
    """Name what sells best of a category, what can be had first."""
    if category_id is None:
        return []
    snapshot = index.current()
    return snapshot.memory.recall(
        f"category:{category_id}", "related", lambda: _list_best(snapshot, category_id)
    )


def _list_best(snapshot: Snapshot, category_id: int) -> list[int]:
    own = snapshot.own.get(category_id) or BitMap()
    in_stock, sold_out = own & snapshot.available, own - snapshot.available
    best = list_page(snapshot, in_stock, BEST, 0, MOST_BEST)
    return best + list_page(snapshot, sold_out, BEST, 0, MOST_BEST - len(best))
