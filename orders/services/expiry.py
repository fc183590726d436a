"""Unpaid orders come to an end: the provider is asked first, then the stock is released."""

from __future__ import annotations

import logging

from django.utils.translation import gettext as _

from catalog.services import stock
from orders.models import Order, OrderPayment
from orders.services import timeline, transitions
from orders.services.payment import is_unclear
from orders.services.settlement import held_stock
from payments.models import PaymentAttempt
from payments.services import sweeping
from shop.clock import now
from shop.failpoints import failpoint
from shop.locking import retry_when_busy
from shop.transactions import no_transaction, own_transaction

logger = logging.getLogger(__name__)

MOST_ORDERS = 500
SECONDS_TO_ASK = 20.0
"""A sweep starts each minute, and without a broker mails wait for it; the next one goes on."""


@no_transaction
def sweep(*, seconds: float = SECONDS_TO_ASK) -> int:
    """Settle what is open and expire what is due; return how many orders expired.

    An order whose provider cannot be asked keeps its stock until the next sweep, and one whose
    payment is held keeps it until staff decide. What goes wrong with one order stays with it.
    """
    sweeping.ask_about_everything_open(unwanted=_list_unwanted_attempts(), seconds=seconds)
    failpoint("orders.expiry.asked")
    due = Order.objects.filter(status=Order.Status.PENDING, expires_at__lte=now())
    expired = 0
    for order_id, number in due.order_by("expires_at").values_list("pk", "number")[:MOST_ORDERS]:
        try:
            expired += _expire(order_id)
        except Exception:
            logger.exception("order %s could not be expired", number)
    return expired


def _list_unwanted_attempts() -> list[int]:
    """Return the open attempts of orders that wait for money no more, or not much longer."""
    payments = OrderPayment.objects.filter(attempt__status__in=PaymentAttempt.OPEN).exclude(
        order__status=Order.Status.PENDING, order__expires_at__gt=now()
    )
    return list(payments.values_list("attempt_id", flat=True))


@retry_when_busy
@own_transaction
def _expire(order_id: int) -> bool:
    """Release an order's stock, unless it was paid meanwhile. Locks the order, then stock."""
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.status != Order.Status.PENDING or order.expires_at > now():
        return False
    if is_unclear(order):
        return False
    stock.release(held_stock(order), reference=order.number)
    transitions.expire(order)
    with timeline.in_shop_language():
        timeline.note(order, "expired", _("Not paid in time; the stock was released."))
    failpoint("orders.expiry.released")
    return True
