"""Taking the money of an order for which it was only set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from orders.errors import ActionNotAllowed, TotalChanged
from orders.models import Order
from orders.services import refunding, timeline
from payments.models import PaymentAttempt
from payments.services import authorisations
from shop.formatting import format_money
from shop.locking import retry_when_busy
from shop.money import Money
from shop.transactions import own_transaction

if TYPE_CHECKING:
    from accounts.models import User


@retry_when_busy
@own_transaction
def take_money(order: Order, *, by: User | None, seen_amount: Money | None = None) -> Money:
    """Decide to take all that an order still stands for, and return it; a task takes it.

    While it is being taken a second call changes nothing. Raises `ActionNotAllowed` when no money
    is set aside for the order, `TotalChanged` when it stands for something else than `seen_amount`.
    Locks the authorised attempts, then the order.
    """
    attempts = refunding.lock_paying(order.pk, (PaymentAttempt.Status.AUTHORISED,))
    order = Order.objects.select_for_update().get(pk=order.pk)
    attempt = next((each for each in attempts if each.release_asked_at is None), None)
    if not order.is_uncharged or attempt is None:
        raise ActionNotAllowed(_("No money is set aside for this order."))
    owed = refunding.get_owed(order)
    if seen_amount is not None and seen_amount != owed:
        raise TotalChanged(_("The amount has changed since you saw it. Please check it again."))
    capture, is_new = authorisations.request_capture(attempt, amount=owed)
    if is_new:
        with timeline.in_shop_language():
            text = _("%(amount)s is being taken.") % {"amount": format_money(owed)}
            timeline.note(order, "capture_requested", text, actor=by)
    return capture.money
