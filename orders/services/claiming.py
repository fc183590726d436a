"""Orders that somebody made as a guest become part of their account, once the mailbox is proven."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from catalog.services import purchases
from orders.models import Order
from orders.services import timeline
from shop.locking import retry_when_busy
from shop.prepared import update
from shop.transactions import own_transaction

if TYPE_CHECKING:
    from accounts.models import User


@retry_when_busy
@own_transaction
def claim(user: User, numbers: Collection[str]) -> int:
    """Attach guest orders to the account that proved their email; say how many this call attached.

    Whatever is somebody's already, or was ordered with an address that is not proven, stays as it is.
    Locks the person's proven addresses, then the orders by primary key.
    """
    proven = EmailAddress.objects.filter(user=user, verified=True).order_by("pk")
    emails = [row.email.lower() for row in proven.select_for_update()]
    orders = list(
        Order.objects.alias(spelt=Lower("email"))
        .filter(user=None, number__in=list(numbers), spelt__in=emails)
        .order_by("pk")
        .select_for_update(of=["self"])
    )
    for order in orders:
        order.user = user
        update(order, "user")
        with timeline.in_shop_language():
            timeline.note(
                order, "claimed", _("Its buyer has an account now, and took it there."), actor=user
            )
    purchases.give([order.number for order in orders], emails=emails, user_id=user.pk)
    return len(orders)
