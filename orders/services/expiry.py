"""Unpaid orders come to an end: the provider is asked first, then the stock is released."""

from __future__ import annotations

import logging

from django.utils.translation import gettext as _

from catalog.services import stock
from orders.models import Order
from orders.services import timeline
from orders.services.payment import is_unclear, list_open_attempts
from orders.services.settlement import held_stock
from payments.services import settlement as payment_settlement
from shop.clock import now
from shop.errors import ShopError
from shop.locking import retry_when_busy
from shop.transactions import no_transaction, own_transaction

logger = logging.getLogger(__name__)


@no_transaction
def sweep(*, limit: int = 200) -> int:
    """Settle what is open and expire what is due; return how many orders expired.

    An order whose provider cannot be asked keeps its stock until the next sweep, and one whose
    payment is held keeps it until staff decide.
    """
    expired = 0
    for order in Order.objects.filter(status=Order.Status.PENDING).order_by("expires_at")[:limit]:
        is_due = order.expires_at <= now()
        try:
            for attempt_id in list_open_attempts(order):
                payment_settlement.settle(attempt_id, give_up=is_due)
        except ShopError as error:
            logger.warning("order %s waits: %s", order.number, error)
            continue
        if is_due and _expire(order.pk):
            expired += 1
    return expired


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
    order.status = Order.Status.EXPIRED
    order.payment_status = Order.PaymentStatus.VOIDED
    order.closed_at = now()
    order.save(update_fields=["status", "payment_status", "closed_at"])
    timeline.note(order, "expired", _("Not paid in time; the stock was released."))
    return True
