"""What sells: pieces counted from paid orders, and told to the catalogue."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Sum

from catalog.services import popularity
from orders.models import Order, OrderLine
from shop.clock import now
from shop.transactions import no_transaction

WINDOW = timedelta(days=90)
"""How far back sales count: long enough for a small shop, short enough for the seasons."""
SOLD = (Order.Status.PLACED, Order.Status.COMPLETED)
PAID = (Order.PaymentStatus.PAID, Order.PaymentStatus.PARTIALLY_REFUNDED)


@no_transaction
def count() -> int:
    """Give each product the pieces it sold lately; return how many products changed.

    Until something was sold within the window, all keep the popularity they have: a demo shop's is
    made up.
    """
    return popularity.set_pieces_sold(count_pieces_sold())


def count_pieces_sold() -> dict[int, int]:
    """Sum the pieces of each product in orders that were paid lately and not called off."""
    lines = OrderLine.objects.filter(
        order__status__in=SOLD,
        order__payment_status__in=PAID,
        order__paid_at__gte=now() - WINDOW,
        variant__isnull=False,
    )
    products = lines.order_by().values("variant__product_id")
    return dict(
        products.annotate(pieces=Sum("quantity")).values_list("variant__product_id", "pieces")
    )
