"""Put in, change, take out. Stock limits are told in words; nothing here promises stock."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Seller
from cart.errors import CartFull, NotForSale
from cart.models import Cart, CartItem
from cart.pricing.fingerprint import fingerprint
from cart.services import carts
from catalog.models import Product, ProductVariant
from shop.failpoints import failpoint
from shop.locking import retry_when_busy
from shop.money import Money
from shop.prepared import Prepared
from shop.transactions import own_transaction

MOST_LINES = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many pieces the line holds now, and what the shopper should be told, if anything."""

    quantity: int
    notice: str = ""


@retry_when_busy
@own_transaction
def add(cart: Cart, *, variant_id: int, quantity: int, device: str = "") -> Outcome:
    """Put pieces in the cart, on top of those that are there, up to what can be bought.

    Locks the cart. Raises `NotForSale` when the variant is gone or sold out, `CartFull` beyond 300
    lines, `CartClosed` when the cart was ordered meanwhile, `shop.errors.BusyError`.
    """
    variant = _get_variant(variant_id)
    limit = _most_pieces(variant)
    if limit == 0:
        raise NotForSale(_("%(product)s is sold out.") % {"product": variant.product.title})
    carts.touch(cart.pk, device=device)
    others, pieces = _count(cart.pk, variant.pk)
    if others >= MOST_LINES:
        raise CartFull(
            _("Your cart holds %(count)d different things, as many as it can. Order these first.")
            % {"count": MOST_LINES}
        )
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD,
            {
                "cart": cart.pk,
                "variant": variant.pk,
                "quantity": min(quantity, limit),
                "limit": limit,
                "price": variant.price,
            },
        )
        (held,) = cursor.fetchone()
    failpoint("cart.lines.added")
    is_cut = held < pieces + quantity
    return Outcome(held, _limit_notice(variant, limit) if is_cut else "")


@retry_when_busy
@own_transaction
def change(
    item: CartItem, *, quantity: int, seen: str = "", version: int | None = None, device: str = ""
) -> Outcome:
    """Set how many pieces a line holds; 0 takes it out, more than there are is cut down.

    `seen` is the fingerprint of the cart that the shopper looked at: the prices in it, of all
    lines, are no news any more. `version` is that cart's. Locks the cart. Raises `CartClosed` when it
    was ordered meanwhile, `ChangedElsewhere` when another device changed it since that version,
    `shop.errors.BusyError`.
    """
    carts.touch(item.cart_id, device=device, seen_version=version)
    _accept_prices(item.cart_id, seen)
    if quantity <= 0:
        item.delete()
        return Outcome(0)
    variant = item.variant
    limit = _most_pieces(variant) if _is_for_sale(variant) else 0
    held = min(quantity, limit) or item.quantity
    CartItem.objects.filter(pk=item.pk).update(quantity=held, seen_price=variant.price)
    return Outcome(held, _limit_notice(variant, limit) if 0 < limit < quantity else "")


@retry_when_busy
@own_transaction
def accept_prices(cart: Cart, *, seen: str) -> bool:
    """Remember today's prices as seen, if `seen` is the fingerprint of the cart as it is today.

    Locks the cart. Raises `CartClosed` when it was ordered meanwhile, `shop.errors.BusyError`.
    """
    carts.lock(cart.pk)
    return _accept_prices(cart.pk, seen)


def _accept_prices(cart_id: int, seen: str) -> bool:
    if not seen:
        return False
    items = CartItem.objects.filter(cart_id=cart_id)
    rows = items.values_list("variant_id", "quantity", "variant__price")
    today = fingerprint(
        (variant_id, quantity, Money(price, settings.SHOP_CURRENCY))
        for variant_id, quantity, price in rows
    )
    if seen != today:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cart_cartitem AS item SET seen_price = variant.price "
            "FROM catalog_productvariant AS variant "
            "WHERE item.cart_id = %s AND variant.id = item.variant_id "
            "AND item.seen_price <> variant.price",
            [cart_id],
        )
    return True


def _count(cart_id: int, variant_id: int) -> tuple[int, int]:
    """Return how many other things a cart holds, and how many pieces of this one."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"cart": cart_id, "variant": variant_id})
        others, pieces = cursor.fetchone()
    return others, pieces


_COUNT = """
SELECT count(*) FILTER (WHERE variant_id <> %(variant)s),
       coalesce(sum(quantity) FILTER (WHERE variant_id = %(variant)s), 0)
FROM cart_cartitem WHERE cart_id = %(cart)s
"""


_ADD = """
INSERT INTO cart_cartitem (cart_id, variant_id, quantity, seen_price)
VALUES (%(cart)s, %(variant)s, %(quantity)s, %(price)s)
ON CONFLICT (cart_id, variant_id) DO UPDATE
SET quantity = least(cart_cartitem.quantity + excluded.quantity, %(limit)s),
    seen_price = excluded.seen_price
RETURNING quantity
"""


_NEEDED = (
    *("price", "is_active", "tracks_stock", "product__title", "product__status"),
    *("product__seller__status", "stock_level__on_hand", "stock_level__allocated"),
)


_read_variant = Prepared(
    lambda pk: (
        ProductVariant.objects.select_related("product__seller", "stock_level")
        .only(*_NEEDED)
        .filter(pk=pk)
    )
)


def _get_variant(variant_id: int) -> ProductVariant:
    variant = _read_variant.first(variant_id)
    if variant is None or not _is_for_sale(variant):
        raise NotForSale(_("This is no longer for sale."))
    return variant


def _is_for_sale(variant: ProductVariant) -> bool:
    product = variant.product
    return (
        variant.is_active
        and product.status == Product.Status.ACTIVE
        and product.seller.status == Seller.Status.ACTIVE
    )


def _most_pieces(variant: ProductVariant) -> int:
    limit: int = settings.SHOP_ORDER_QUANTITY_LIMIT
    left = _count_left(variant)
    return limit if left is None else min(left, limit)


def _count_left(variant: ProductVariant) -> int | None:
    """Return how many pieces are left; None where they are not counted."""
    if not variant.tracks_stock:
        return None
    level = getattr(variant, "stock_level", None)
    return level.available if level else 0


def _limit_notice(variant: ProductVariant, limit: int) -> str:
    words = {"count": limit, "product": variant.product.title}
    if _count_left(variant) == limit:
        return (
            ngettext(
                "There is only %(count)d piece of %(product)s; it is in your cart.",
                "There are only %(count)d pieces of %(product)s; all of them are in your cart.",
                limit,
            )
            % words
        )
    return (
        ngettext(
            "You can order %(count)d piece of %(product)s at a time; it is in your cart.",
            "You can order up to %(count)d pieces of %(product)s at a time; they are in your cart.",
            limit,
        )
        % words
    )
