"""Products as cards: what a listing shows of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext as _

from catalog.index.reading import FOR_SALE as FOR_SALE
from catalog.queries.links import product_url
from catalog.queries.pictures import Picture, make_picture
from catalog.queries.rows import fetch_rows
from shop.money import Money
from shop.notes import read_from

FROM_PRODUCTS = "catalog_product p JOIN accounts_seller s ON s.id = p.seller_id"

ORDERS = {
    "newest": "p.published_at DESC, p.id DESC",
    "best": "p.popularity DESC, p.id DESC",
}


@dataclass(frozen=True, slots=True)
class Swatch:
    label: str
    colour: str


@dataclass(frozen=True, slots=True)
class ProductCard:
    id: int
    url: str
    title: str
    seller_name: str
    price_from: Money
    price_varies: bool
    compare_at: Money | None
    picture: Picture | None
    in_stock: bool
    swatches: tuple[Swatch, ...]
    badge: str
    rating: Decimal | None
    rating_count: int


# The page of ids comes first: the side looks below must run for the cards shown, not for all that
# were sorted.
_CARDS = f"""
SELECT p.id, p.slug, p.title, s.name, p.price_from, p.price_to, p.compare_at_from, p.is_available,
       p.rating, p.rating_count,
       coalesce(nullif(picture.alt, ''), p.title), picture.original, picture.base,
       picture.renditions, picture.width, picture.height,
       ARRAY(
           SELECT ARRAY[value.label, value.swatch]
           FROM catalog_option option
           JOIN catalog_optionvalue value ON value.option_id = option.id
           WHERE option.product_id = p.id AND value.swatch <> ''
           ORDER BY option.position, option.id, value.position, value.id
       )
FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS wanted(id, place)
JOIN catalog_product p ON p.id = wanted.id
JOIN accounts_seller s ON s.id = p.seller_id
LEFT JOIN LATERAL (
    SELECT image.alt, asset.original, asset.base, asset.renditions, asset.width, asset.height
    FROM catalog_productimage image
    JOIN catalog_imageasset asset ON asset.id = image.asset_id
    WHERE image.product_id = p.id
    ORDER BY image.position, image.id
    LIMIT 1
) AS picture ON true
WHERE {FOR_SALE}
ORDER BY wanted.place
"""


def list_cards(product_ids: Sequence[int]) -> list[ProductCard]:
    """Return the cards of some products in the order given; one statement.

    Left out is what is not for sale any more, though the caller does not know it yet.
    """
    if not product_ids:
        return []
    read_from(*(f"product:{product_id}" for product_id in product_ids))
    currency = settings.SHOP_CURRENCY
    sale = _("Sale")
    cards = []
    for row in fetch_rows(_CARDS, {"ids": list(product_ids)}):
        product_id, slug, title, seller, price_from, price_to, compare_at, *rest = row
        in_stock, rating, rating_count, *picture, swatches = rest
        before = _reduced_from(compare_at, price_from, currency)
        cards.append(
            ProductCard(
                id=product_id,
                url=product_url(slug),
                title=title,
                seller_name=seller,
                price_from=Money(price_from, currency),
                price_varies=price_to != price_from,
                compare_at=before,
                picture=make_picture(*picture),
                in_stock=in_stock,
                swatches=tuple(Swatch(label, colour) for label, colour in swatches),
                badge=sale if before else "",
                rating=rating,
                rating_count=rating_count,
            )
        )
    return cards


def _reduced_from(compare_at: Decimal | None, price: Decimal, currency: str) -> Money | None:
    if compare_at is None or compare_at <= price:
        return None
    return Money(compare_at, currency)
