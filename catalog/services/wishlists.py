"""Wishlists: several a person, a guest's found by the session and taken along at sign-in."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Seller
from catalog.errors import WishlistRefused
from catalog.models import Product, ProductVariant, Wishlist, WishlistItem
from shop.clock import now
from shop.locking import retry_when_busy
from shop.transactions import own_transaction

if TYPE_CHECKING:
    from accounts.models import User

MOST_LISTS = 20
MOST_ITEMS = 200
GUESTS_KEPT = timedelta(days=60)
"""Longer than a session lives: nobody can find the list any more."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose lists: a person's, or those that a guest's session knows."""

    user_id: int | None
    list_ids: Sequence[int] = ()

    @property
    def lists(self) -> QuerySet[Wishlist]:
        if self.user_id is not None:
            return Wishlist.objects.filter(owner=self.user_id)
        return Wishlist.objects.filter(owner=None, pk__in=list(self.list_ids))


@retry_when_busy
@own_transaction
def save(holder: Holder, *, variant_id: int) -> Wishlist:
    """Put a variant on the list that was used last, or on a first one; twice is once.

    Raises `WishlistRefused` when the variant is gone or the list is full.
    """
    # A list names what is on it: nobody may read a product there that the shop does not show yet.
    variant = ProductVariant.objects.filter(
        pk=variant_id,
        is_active=True,
        product__status=Product.Status.ACTIVE,
        product__seller__status=Seller.Status.ACTIVE,
    ).first()
    if variant is None:
        raise WishlistRefused(_("This is no longer for sale."))
    wishlist = holder.lists.select_for_update().order_by("-updated_at", "-pk").first()
    if wishlist is None:
        wishlist = _open(holder, name="")
    _put(wishlist, [variant.pk])
    return wishlist


@retry_when_busy
@own_transaction
def create(holder: Holder, *, name: str) -> Wishlist:
    """Start another list. Raises `WishlistRefused` when there is one of that name, or too many."""
    name = _check_name(holder, name)
    if holder.lists.count() >= MOST_LISTS:
        raise WishlistRefused(
            _("You have %(count)d lists, as many as there can be.") % {"count": MOST_LISTS}
        )
    return _open(holder, name=name)


@own_transaction
def rename(holder: Holder, list_id: int, *, name: str) -> None:
    """Give a list another name. Raises `WishlistRefused` when another one has it."""
    wishlist = _get(holder, list_id)
    wishlist.name = _check_name(holder, name, but=list_id)
    try:
        wishlist.save()
    except IntegrityError:  # Another one was given the name since it was looked for.
        raise _name_is_taken() from None


@own_transaction
def delete(holder: Holder, list_id: int) -> None:
    """Delete a list with what is on it; its link leads nowhere then."""
    _get(holder, list_id).delete()


@own_transaction
def share(holder: Holder, list_id: int) -> None:
    """Give a list a secret link; one that it has already stays."""
    wishlist = _get(holder, list_id)
    wishlist.share_key = wishlist.share_key or secrets.token_urlsafe(18)
    wishlist.save()


@own_transaction
def stop_sharing(holder: Holder, list_id: int) -> None:
    """Take the link back; sharing again makes another one."""
    wishlist = _get(holder, list_id)
    wishlist.share_key = ""
    wishlist.save()


@own_transaction
def remove(holder: Holder, item_id: int) -> None:
    """Take a thing from its list; what is not there any more is gone already."""
    WishlistItem.objects.filter(pk=item_id, wishlist__in=holder.lists).delete()


@retry_when_busy
@own_transaction
def move(holder: Holder, item_id: int, *, to: int) -> Wishlist:
    """Put a thing on another list of the same person. Raises `WishlistRefused`."""
    target = _get(holder, to)
    item = WishlistItem.objects.filter(pk=item_id, wishlist__in=holder.lists).first()
    if item is None:
        raise WishlistRefused(_("That is no longer on your list."))
    if item.wishlist_id != target.pk:
        _put(target, [item.variant_id])
        item.delete()
    return target


@retry_when_busy
@own_transaction
def merge_at_sign_in(*, list_ids: Sequence[int], user: User) -> None:
    """Make a guest's lists the person's own; what both have of one name becomes one list.

    Locks the lists. A thing that is on both is there once, and merging twice doubles nothing.
    """
    guest = Wishlist.objects.filter(pk__in=list(list_ids), owner=None)
    own = {each.name.casefold(): each for each in Wishlist.objects.filter(owner=user)}
    for wishlist in guest.order_by("pk").select_for_update():
        mine = own.get(wishlist.name.casefold()) or _give(wishlist, user)
        own[wishlist.name.casefold()] = mine
        if mine == wishlist:
            continue
        items = wishlist.items.order_by("pk")
        _put(mine, list(items.values_list("variant_id", flat=True)), may_overflow=True)
        key, wishlist_key = mine.share_key, wishlist.share_key
        wishlist.delete()
        if wishlist_key and not key:
            mine.share_key = wishlist_key
            mine.save()


@own_transaction
def prune() -> int:
    """Forget guests' lists that no session can lead to any more; return how many."""
    old = Wishlist.objects.filter(owner=None, updated_at__lt=now() - GUESTS_KEPT)
    count = old.count()
    old.delete()
    return count


def _open(holder: Holder, *, name: str) -> Wishlist:
    if holder.user_id is None:
        return Wishlist.objects.create(name=name)
    return Wishlist.objects.get_or_create(owner_id=holder.user_id, name=name)[0]


def _give(wishlist: Wishlist, user: User) -> Wishlist:
    """Make a guest's list a person's; return theirs if they got one of its name in this moment."""
    wishlist.owner = user
    try:
        with transaction.atomic():
            wishlist.save()
    except IntegrityError:
        return Wishlist.objects.get(owner=user, name=wishlist.name)
    return wishlist


def _put(wishlist: Wishlist, variant_ids: Sequence[int], *, may_overflow: bool = False) -> None:
    """Put on a list what is not there yet, and note that it was used."""
    present = set(wishlist.items.values_list("variant_id", flat=True))
    new = [variant_id for variant_id in variant_ids if variant_id not in present]
    if new and not may_overflow and len(present) >= MOST_ITEMS:
        raise WishlistRefused(
            ngettext(
                "This list holds %(count)d thing, as many as it can. Take something off first.",
                "This list holds %(count)d things, as many as it can. Take something off first.",
                MOST_ITEMS,
            )
            % {"count": MOST_ITEMS}
        )
    WishlistItem.objects.bulk_create(
        [WishlistItem(wishlist=wishlist, variant_id=variant_id) for variant_id in new],
        ignore_conflicts=True,
    )
    wishlist.save(update_fields=["updated_at"])


def _get(holder: Holder, list_id: int) -> Wishlist:
    wishlist = holder.lists.select_for_update().filter(pk=list_id).first()
    if wishlist is None:
        raise WishlistRefused(_("This list is not here any more."))
    return wishlist


def _check_name(holder: Holder, name: str, *, but: int = 0) -> str:
    name = " ".join(name.split())[:60]
    if not name:
        raise WishlistRefused(_("Give the list a name."))
    if holder.lists.filter(name__iexact=name).exclude(pk=but).exists():
        raise _name_is_taken()
    return name


def _name_is_taken() -> WishlistRefused:
    return WishlistRefused(_("You have a list of this name already."))
