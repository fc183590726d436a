"""The address book: several addresses a person, at most one default for parcels and one for bills."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from django.utils.translation import gettext as _

from accounts.addressing import PostalAddress
from accounts.errors import AddressRefused
from accounts.models import Address, User
from shop.locking import retry_when_busy
from shop.transactions import own_transaction

MOST_ADDRESSES = 30
Purpose = Literal["delivery", "billing", "no_billing"]


@retry_when_busy
@own_transaction
def add(user_id: int, address: PostalAddress) -> Address:
    """Put an address in the book; the first is the default for delivery. Twice is once.

    Locks the person. Raises `AddressRefused` when the book is full.
    """
    _lock(user_id)
    known = list(Address.objects.filter(user=user_id))
    for row in known:
        if replace(row.postal, phone="") == replace(address, phone=""):
            return row
    if len(known) >= MOST_ADDRESSES:
        raise AddressRefused(
            _("Your address book holds %(count)d addresses, as many as it can. Remove one first.")
            % {"count": MOST_ADDRESSES}
        )
    is_first = not any(row.is_for_delivery for row in known)
    return Address.objects.create(
        user_id=user_id, is_for_delivery=is_first, is_for_billing=False, **address.as_fields()
    )


@retry_when_busy
@own_transaction
def change(user_id: int, address_id: int, address: PostalAddress) -> None:
    """Write an address anew; orders keep their copies. Locks the person. Raises `AddressRefused`."""
    _lock(user_id)
    row = _get(user_id, address_id)
    for name, value in address.as_fields().items():
        setattr(row, name, value)
    row.save()


@retry_when_busy
@own_transaction
def remove(user_id: int, address_id: int) -> None:
    """Take an address out; what is gone is gone already. The newest left goes on as the default.

    Locks the person.
    """
    _lock(user_id)
    row = Address.objects.filter(user=user_id, pk=address_id).first()
    if row is None:
        return
    row.delete()
    if row.is_for_delivery and (newest := Address.objects.filter(user=user_id).last()):
        newest.is_for_delivery = True
        newest.save(update_fields=["is_for_delivery"])


@retry_when_busy
@own_transaction
def make_default(user_id: int, address_id: int, *, purpose: Purpose) -> None:
    """Use an address where nobody says otherwise; `no_billing` lets bills follow the parcels again.

    Locks the person. Raises `AddressRefused` when it is not in their book.
    """
    _lock(user_id)
    row = _get(user_id, address_id)
    field = "is_for_delivery" if purpose == "delivery" else "is_for_billing"
    Address.objects.filter(user=user_id, **{field: True}).update(**{field: False})
    if purpose != "no_billing":
        Address.objects.filter(pk=row.pk).update(**{field: True})


def _lock(user_id: int) -> None:
    """Let nobody else change this book; orders of the person may be written meanwhile."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user_id)


def _get(user_id: int, address_id: int) -> Address:
    row = Address.objects.filter(user=user_id, pk=address_id).first()
    if row is None:
        raise AddressRefused(_("This address is not in your address book any more."))
    return row
