"""The life of a cart: opened at the first add, merged at sign-in, closed by an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from cart.errors import CartClosed, ChangedElsewhere
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
def merge_at_sign_in(*, guest_cart_id: int, user: User, device: str = "") -> Cart:
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
    if _move_items(guest, cart):
        touch(cart.pk, device=device)
    guest.closed_at = now()
    guest.save(update_fields=["closed_at"])
    return cart


@inside_transaction
def touch(cart_id: int, *, device: str = "", seen_version: int | None = None) -> None:
    """Lock an open cart whose lines are about to change, and count the change.

    `seen_version` is what the shopper looked at on this device. Raises `CartClosed`, and
    `ChangedElsewhere` when another device changed the cart since.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TOUCH, {"now": now(), "device": device, "cart": cart_id})
        row = cursor.fetchone()
    if row is None:
        raise CartClosed(_("This cart was already ordered."))
    if seen_version is not None and seen_version < row[0] - 1:
        raise ChangedElsewhere(
            _(
                "Your cart was changed on another device meanwhile, so nothing was changed just now. "
                "This is how it stands."
            )
        )


_TOUCH = """
UPDATE cart_cart
SET updated_at = %(now)s, version = version + 1, device = %(device)s::varchar,
    taken_over = CASE WHEN device = %(device)s::varchar THEN taken_over ELSE version + 1 END
WHERE id = %(cart)s AND closed_at IS NULL
RETURNING taken_over
"""


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


def _move_items(source: Cart, target: Cart) -> int:
    """Return how many lines the guest's cart had."""
    limit = settings.SHOP_ORDER_QUANTITY_LIMIT
    ours = {item.variant_id: item for item in target.items.all()}
    moved = list(source.items.all())
    for item in moved:
        mine = ours.get(item.variant_id)
        if mine is None:
            item.cart = target
            item.save(update_fields=["cart"])
        else:
            mine.quantity = min(mine.quantity + item.quantity, limit)
            mine.save(update_fields=["quantity"])
    return len(moved)
