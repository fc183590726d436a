"""Carts of a person: told to them, locked before they are erased, and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.archive import Archive, Row
from accounts.erasure import ErasureRun
from accounts.person import Person
from cart.models import Cart
from shop.clock import now
from shop.services.forgetting import delete_in_batches
from shop.transactions import inside_transaction, no_transaction

ORDERED_KEPT = timedelta(days=90)
"""Longer than an unpaid order waits: giving one up looks for the cart that it came from."""


def export(person: Person, archive: Archive) -> None:
    archive.add("carts", _("Carts"), _list_carts(person))


@inside_transaction
def lock(run: ErasureRun) -> None:
    """Lock the open cart: who is about to order from it comes first, or finds it gone."""
    if run.locks:
        open_ones = Cart.objects.filter(run.person.by_account("user"), closed_at=None)
        list(open_ones.select_for_update().order_by("pk").values_list("pk"))


@inside_transaction
def erase(run: ErasureRun) -> None:
    rows = Cart.objects.filter(run.person.by_account("user"))
    run.count("cart.Cart", rows.count())
    rows.delete()


@no_transaction
def forget_old() -> None:
    """Delete carts that nobody came back to, guests' sooner, and those that became orders."""
    time = now()
    is_left = Q(closed_at=None, updated_at__lt=time - timedelta(days=settings.RETENTION_CART_DAYS))
    is_guests = Q(
        closed_at=None,
        user=None,
        updated_at__lt=time - timedelta(days=settings.RETENTION_GUEST_CART_DAYS),
    )
    delete_in_batches(
        Cart.objects.filter(is_left | is_guests | Q(closed_at__lt=time - ORDERED_KEPT))
    )


def _list_carts(person: Person) -> Iterator[Row]:
    carts = Cart.objects.filter(person.by_account("user")).order_by("pk")
    for cart in carts.prefetch_related("items__variant__product"):
        yield {
            "created_at": cart.created_at,
            "updated_at": cart.updated_at,
            "closed_at": cart.closed_at,
            "items": [
                {
                    "product": item.variant.product.title,
                    "sku": item.variant.sku,
                    "quantity": item.quantity,
                }
                for item in cart.items.all()
            ],
        }
