"""The life of a cart: opened at the first add, merged at sign-in, closed by an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from cart.errors import CartClosed
from cart.models import Cart, CartItem
from catalog.models import ProductVariant
from shop.clock import now
from shop.locking import retry_when_busy
from shop.prepared import Prepared, insert, update
from shop.transactions import inside_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User


_lock = Prepared(lambda pk: Cart.objects.select_for_update().filter(pk=pk))


@own_transaction
def open_cart(user: User | None) -> Cart:
    """Create an empty cart; a signed-in person has at most one open."""
    if user is None:
        return insert(Cart())
    return Cart.objects.get_or_create(user=user, closed_at=None)[0]


@retry_when_busy
@own_transaction
def merge_at_sign_in(*, guest_cart_id: int, user: User) -> Cart:
    """Move a guest's items into the person's cart; quantities of the same variant add up.

    Locks both carts, by primary key. The guest's cart is closed, so merging twice doubles nothing.
    Raises `shop.errors.BusyError`.
    """
    cart = Cart.objects.get_or_create(user=user, closed_at=None)[0]
    locked = {
        row.pk: row
        for row in Cart.objects.select_for_update()
        .filter(pk__in=[guest_cart_id, cart.pk])
        .order_by("pk")
    }
    guest = locked.get(guest_cart_id)
    if guest is None or not guest.is_open or guest.user_id is not None or guest.pk == cart.pk:
        return cart
    _move_items(guest, cart)
    guest.closed_at = now()
    guest.save(update_fields=["closed_at"])
    return cart


@inside_transaction
def lock(cart_id: int) -> Cart:
    """Lock a cart row for the rest of the transaction; raises `CartClosed` once it was ordered."""
    cart = _lock.first(cart_id)
    if cart is None or not cart.is_open:
        raise CartClosed(_("This cart was already ordered."))
    return cart


@inside_transaction
def close(cart: Cart) -> None:
    """Close a locked cart, because its items became an order."""
    cart.closed_at = now()
    update(cart, "closed_at")


@inside_transaction
def refill(cart: Cart | None, *, quantities: dict[int, int], user: User | None) -> Cart:
    """Put what an unpaid order held, by variant id, back in a cart at today's prices.

    `cart` is an open one, locked by the caller; without it the person's own or a new one is taken.
    """
    if cart is None:
        cart = Cart.objects.get_or_create(user=user, closed_at=None)[0] if user else Cart()
        cart.save()
    held = {item.variant_id: item for item in cart.items.all()}
    for variant in ProductVariant.objects.filter(pk__in=quantities):
        item = held.get(variant.pk) or CartItem(cart=cart, variant=variant, quantity=0)
        item.quantity = min(
            item.quantity + quantities[variant.pk], settings.SHOP_ORDER_QUANTITY_LIMIT
        )
        item.seen_price = variant.price
        item.save()
    return cart


def _move_items(source: Cart, target: Cart) -> None:
    limit = settings.SHOP_ORDER_QUANTITY_LIMIT
    ours = {item.variant_id: item for item in target.items.all()}
    for item in source.items.all():
        mine = ours.get(item.variant_id)
        if mine is None:
            item.cart = target
            item.save(update_fields=["cart"])
        else:
            mine.quantity = min(mine.quantity + item.quantity, limit)
            mine.save(update_fields=["quantity"])
