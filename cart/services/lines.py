"""Put in, change, take out. Stock limits are told in words; nothing here promises stock."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Seller
from cart.errors import CartClosed, CartFull, NotForSale
from cart.models import Cart, CartItem
from catalog.models import Product, ProductVariant
from shop.clock import now
from shop.transactions import own_transaction

MOST_LINES = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many pieces the line holds now, and what the shopper should be told, if anything."""

    quantity: int
    notice: str = ""


@own_transaction
def add(cart: Cart, *, variant_id: int, quantity: int) -> Outcome:
    """Put pieces in the cart, on top of those that are there, up to what can be bought.

    Locks the cart. Raises `NotForSale` when the variant is gone or sold out, `CartFull` beyond 300
    lines, `CartClosed` when the cart was ordered meanwhile.
    """
    variant = _get_variant(variant_id)
    limit = _most_pieces(variant)
    if limit == 0:
        raise NotForSale(_("%(product)s is sold out.") % {"product": variant.product.title})
    if cart.items.exclude(variant=variant).count() >= MOST_LINES:
        raise CartFull(
            _("Your cart holds %(count)d different things, as many as it can. Order these first.")
            % {"count": MOST_LINES}
        )
    _touch(cart.pk)
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
    return Outcome(
        held, _limit_notice(variant, limit) if quantity > limit or held == limit < quantity else ""
    )


@own_transaction
def change(item: CartItem, *, quantity: int) -> Outcome:
    """Set how many pieces a line holds; 0 takes it out, more than there are is cut down.

    Locks the cart. Raises `CartClosed` when it was ordered meanwhile.
    """
    _touch(item.cart_id)
    if quantity <= 0:
        item.delete()
        return Outcome(0)
    variant = item.variant
    limit = _most_pieces(variant) if _is_for_sale(variant) else 0
    held = min(quantity, limit) or item.quantity
    CartItem.objects.filter(pk=item.pk).update(quantity=held, seen_price=variant.price)
    return Outcome(held, _limit_notice(variant, limit) if 0 < limit < quantity else "")


@own_transaction
def accept_prices(cart: Cart) -> None:
    """Remember today's prices as seen, once the shopper was shown them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cart_cartitem AS item SET seen_price = variant.price "
            "FROM catalog_productvariant AS variant "
            "WHERE item.cart_id = %s AND variant.id = item.variant_id "
            "AND item.seen_price <> variant.price",
            [cart.pk],
        )


def _touch(cart_id: int) -> None:
    """Lock an open cart, so that neither placement nor sign-in reads it half changed."""
    if not Cart.objects.filter(pk=cart_id, closed_at=None).update(updated_at=now()):
        raise CartClosed(_("This cart was already ordered."))


_ADD = """
INSERT INTO cart_cartitem (cart_id, variant_id, quantity, seen_price)
VALUES (%(cart)s, %(variant)s, %(quantity)s, %(price)s)
ON CONFLICT (cart_id, variant_id) DO UPDATE
SET quantity = least(cart_cartitem.quantity + excluded.quantity, %(limit)s),
    seen_price = excluded.seen_price
RETURNING quantity
"""


def _get_variant(variant_id: int) -> ProductVariant:
    variant = (
        ProductVariant.objects.select_related("product__seller", "stock_level")
        .filter(pk=variant_id)
        .first()
    )
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
    if not variant.tracks_stock:
        return limit
    level = getattr(variant, "stock_level", None)
    return min(level.available if level else 0, limit)


def _limit_notice(variant: ProductVariant, limit: int) -> str:
    return ngettext(
        "There is only %(count)d piece of %(product)s; it is in your cart.",
        "There are only %(count)d pieces of %(product)s; all of them are in your cart.",
        limit,
    ) % {"count": limit, "product": variant.product.title}
