"""Wishlists as pages show them: one's own to change, a shared one to read."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.models import Wishlist
from catalog.queries.cards import FOR_SALE
from catalog.queries.links import absolute, product_url
from catalog.queries.pictures import Picture, list_variant_pictures
from catalog.queries.rows import fetch_rows
from catalog.queries.variants import IN_STOCK
from shop.money import Money


@dataclass(frozen=True, slots=True)
class WishlistLink:
    """A list among others, with how many things are on it."""

    id: int
    name: str
    count: int
    url: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """A thing on a list; one that is no longer for sale has no address and no price."""

    id: int
    variant_id: int
    title: str
    options_label: str
    seller_name: str
    url: str
    picture: Picture | None
    price: Money | None
    in_stock: bool

    @property
    def can_be_bought(self) -> bool:
        return bool(self.url) and self.in_stock


@dataclass(frozen=True, slots=True)
class WishlistPage:
    """`share_url` is the whole secret link, "" while the list is nobody else's business."""

    shown: WishlistLink
    lists: tuple[WishlistLink, ...]
    wishes: tuple[Wish, ...]
    share_url: str

    @property
    def others(self) -> list[WishlistLink]:
        return [each for each in self.lists if each.id != self.shown.id]


_WISHES = f"""
SELECT item.id, variant.id, p.id, p.title, variant.label, s.name, p.slug, variant.sku,
       variant.image_id, variant.price, variant.is_active AND ({FOR_SALE}),
       {IN_STOCK}
FROM catalog_wishlistitem item
JOIN catalog_productvariant variant ON variant.id = item.variant_id
JOIN catalog_product p ON p.id = variant.product_id
JOIN accounts_seller s ON s.id = p.seller_id
LEFT JOIN catalog_stocklevel level ON level.variant_id = variant.id
WHERE item.wishlist_id = %(list)s
ORDER BY item.id DESC
"""


def get_wishlist_page(lists: QuerySet[Wishlist], list_id: int | None) -> WishlistPage | None:
    """Return one of somebody's lists, the one used last unless another is asked for."""
    rows = list(lists.annotate(count=Count("items")).order_by("-updated_at", "-pk"))
    if list_id is None:
        chosen = rows[0] if rows else None
    else:
        chosen = next((row for row in rows if row.pk == list_id), None)
    if chosen is None:
        return None
    links = {row.pk: _link(row, chosen) for row in sorted(rows, key=lambda row: row.pk)}
    return WishlistPage(
        shown=links[chosen.pk],
        lists=tuple(links.values()),
        wishes=_list_wishes(chosen.pk),
        share_url=_share_url(chosen),
    )


def get_shared_page(key: str) -> WishlistPage | None:
    """Return the list that a secret link leads to; None once it was taken back."""
    found = Wishlist.objects.filter(share_key=key) if key and key.isascii() else None
    row = found.annotate(count=Count("items")).first() if found is not None else None
    if row is None:
        return None
    link = _link(row, row)
    return WishlistPage(shown=link, lists=(), wishes=_list_wishes(row.pk), share_url="")


def name_of(wishlist: Wishlist) -> str:
    """Name a list; the first one is called alike in everybody's language."""
    return wishlist.name or _("Wishlist")


def _link(row: Wishlist, chosen: Wishlist) -> WishlistLink:
    return WishlistLink(
        id=row.pk,
        name=name_of(row),
        count=row.count,  # type: ignore[attr-defined]  # annotated
        url=reverse("catalog:wishlist", args=[row.pk]),
        is_chosen=row.pk == chosen.pk,
    )


def _share_url(row: Wishlist) -> str:
    if not row.share_key:
        return ""
    return absolute(reverse("catalog:shared_wishlist", args=[row.share_key]))


def _list_wishes(list_id: int) -> tuple[Wish, ...]:
    rows = fetch_rows(_WISHES, {"list": list_id})
    pictures = list_variant_pictures({row[1]: (row[2], row[8]) for row in rows})
    currency = settings.SHOP_CURRENCY
    return tuple(
        Wish(
            id=item_id,
            variant_id=variant_id,
            title=title,
            options_label=label,
            seller_name=seller,
            url=product_url(slug, sku=sku) if is_sold else "",
            picture=pictures.get(variant_id),
            price=Money(price, currency) if is_sold else None,
            in_stock=in_stock,
        )
        for (
            item_id, variant_id, _product, title, label, seller, slug, sku, _image, price,
            is_sold, in_stock,
        ) in rows
    )  # fmt: skip
