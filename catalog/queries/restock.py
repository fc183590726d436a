"""What somebody waits for: a variant with its product's name, and whether it can be had."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.models import RestockRequest
from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS
from catalog.queries.links import product_url
from catalog.queries.pictures import Picture, list_variant_pictures
from catalog.queries.rows import fetch_row
from catalog.queries.variants import IN_STOCK


@dataclass(frozen=True, slots=True)
class WantedVariant:
    """`name` says product and options: "Dune mug, Ink"."""

    id: int
    name: str
    url: str
    picture: Picture | None
    in_stock: bool


@dataclass(frozen=True, slots=True)
class RestockPage:
    """How a request stands; `state` is asked, confirmed or told."""

    id: int
    variant: WantedVariant | None
    email: str
    state: str


_WANTED = f"""
SELECT p.id, p.title, p.slug, variant.sku, variant.label, variant.image_id,
       {IN_STOCK}
FROM {FROM_PRODUCTS}
JOIN catalog_productvariant variant ON variant.product_id = p.id AND variant.is_active
LEFT JOIN catalog_stocklevel level ON level.variant_id = variant.id
WHERE variant.id = %(variant)s AND {FOR_SALE}
"""


def find_wanted(variant_id: int) -> WantedVariant | None:
    """Find a variant that is for sale, sold out or not; two statements."""
    row = fetch_row(_WANTED, {"variant": variant_id})
    if row is None:
        return None
    product_id, title, slug, sku, label, image_id, in_stock = row
    pictures = list_variant_pictures({variant_id: (product_id, image_id)})
    return WantedVariant(
        id=variant_id,
        name=", ".join(filter(None, (title, label))),
        url=product_url(slug, sku=sku),
        picture=pictures.get(variant_id),
        in_stock=in_stock,
    )


def get_restock_page(request_id: int | None) -> RestockPage | None:
    """Return how a request stands; None when it was taken back or is long over."""
    request = RestockRequest.objects.filter(pk=request_id or 0).first()
    if request is None:
        return None
    state = "told" if request.told_at else "confirmed" if request.confirmed_at else "asked"
    return RestockPage(request.pk, find_wanted(request.variant_id), request.email, state)
