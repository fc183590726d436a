"""How staff and sellers find an order by what they have at hand."""

from __future__ import annotations

from django.db.models import Q

from orders.models import Order, OrderAddress, OrderLine, SellerOrder, Shipment


def orders_like(term: str) -> Q:
    """Select orders by number, email, name, SKU or tracking number; one index or scan for each."""
    typed = _tidy(term)
    return (
        Q(number__startswith=typed.upper())
        | Q(email__icontains=typed)
        | Q(pk__in=OrderAddress.objects.filter(name__icontains=typed).values("order_id"))
        | Q(pk__in=OrderLine.objects.filter(sku__istartswith=typed).values("order_id"))
        | Q(
            pk__in=Shipment.objects.filter(tracking_number__icontains=typed).values(
                "seller_order__order_id"
            )
        )
    )


def parts_like(term: str) -> Q:
    """Select sellers' parts by number, name, or an own SKU or tracking number.

    What other sellers have in the order must not be found out by searching for it.
    """
    typed = _tidy(term)
    return (
        Q(order__in=Order.objects.filter(number__startswith=typed.upper()))
        | Q(order__in=OrderAddress.objects.filter(name__icontains=typed).values("order_id"))
        | Q(pk__in=OrderLine.objects.filter(sku__istartswith=typed).values("seller_order_id"))
        | Q(
            pk__in=SellerOrder.objects.filter(shipments__tracking_number__icontains=typed).values(
                "pk"
            )
        )
    )


def _tidy(term: str) -> str:
    return " ".join(term.split()).removeprefix("#")
