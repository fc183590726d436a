"""Shipping: each seller sends parcels of its part; the order's status follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db.models import Sum
from django.utils.translation import gettext as _

from orders.errors import ActionNotAllowed, ParcelSentMeanwhile
from orders.models import Order, SellerOrder, Shipment, ShipmentLine
from orders.services import notices, timeline, transitions
from shop.clock import now
from shop.failpoints import failpoint
from shop.locking import retry_when_busy
from shop.transactions import inside_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User

Fulfilment = Order.FulfilmentStatus
SHIPPABLE = (Order.PaymentStatus.PAID, Order.PaymentStatus.PARTIALLY_REFUNDED)


@retry_when_busy
@own_transaction
def ship(
    seller_order: SellerOrder,
    *,
    carrier: str,
    tracking_number: str = "",
    tracking_url: str = "",
    quantities: Mapping[int, int] | None = None,
    seen_parcels: int | None = None,
    by: User | None,
) -> Shipment:
    """Send a parcel with all that is left of a seller's part, or with some of each line.

    `quantities` maps order line ids to pieces; `seen_parcels` is how many parcels the person saw
    when deciding. Locks the order. Raises `ParcelSentMeanwhile` when there is another parcel by
    now, `ActionNotAllowed` when the order is not paid and placed, or when more would leave than
    was bought.
    """
    order = Order.objects.select_for_update().get(pk=seller_order.order_id)
    if seen_parcels is not None and seller_order.shipments.count() != seen_parcels:
        raise ParcelSentMeanwhile(_("A parcel was sent a moment ago; nothing was sent twice."))
    if order.is_uncharged:
        raise ActionNotAllowed(
            _("The money for this order is only set aside. Take it first, then send the parcel.")
        )
    if order.status != Order.Status.PLACED or order.payment_status not in SHIPPABLE:
        raise ActionNotAllowed(_("Only a paid order that is not closed can be shipped."))
    left = _left_to_ship(seller_order)
    parcel = dict(left if quantities is None else quantities)
    parcel = {line_id: quantity for line_id, quantity in parcel.items() if quantity}
    if not parcel or any(
        quantity < 0 or quantity > left.get(line_id, 0) for line_id, quantity in parcel.items()
    ):
        raise ActionNotAllowed(_("There is nothing left to ship, or not that many pieces."))
    shipment = Shipment.objects.create(
        seller_order=seller_order,
        carrier=carrier,
        tracking_number=tracking_number,
        tracking_url=tracking_url,
        shipped_at=now(),
    )
    ShipmentLine.objects.bulk_create(
        ShipmentLine(shipment=shipment, order_line_id=line_id, quantity=quantity)
        for line_id, quantity in parcel.items()
    )
    _derive(order)
    with timeline.in_shop_language():
        timeline.note(order, "shipped", _("Sent with %s.") % shipment, actor=by)
    notices.enqueue(order, "shipped", about=str(shipment.pk))
    failpoint("orders.fulfilment.shipped")
    return shipment


@retry_when_busy
@own_transaction
def mark_delivered(shipment: Shipment, *, by: User | None) -> None:
    """Note that a parcel arrived. Locks the order; a second call changes nothing."""
    order = Order.objects.select_for_update().get(seller_orders__shipments=shipment)
    if not Shipment.objects.filter(pk=shipment.pk, delivered_at=None).update(delivered_at=now()):
        return
    _derive(order)
    with timeline.in_shop_language():
        timeline.note(order, "delivered", _("Delivered: %s.") % shipment, actor=by)
    if order.fulfilment_status == Fulfilment.DELIVERED:
        notices.enqueue(order, "delivered")
    failpoint("orders.fulfilment.delivered")


@inside_transaction
def follow_pieces(order: Order) -> None:
    """Let the fulfilment follow pieces that are not to be sent any more, or are again.

    The order is locked. Nothing changes on one that is closed.
    """
    if order.status == Order.Status.PLACED:
        _derive(order)


def _left_to_ship(seller_order: SellerOrder) -> dict[int, int]:
    """Return what is still to be sent; pieces that are given back are first those not sent yet."""
    lines = seller_order.lines.annotate(shipped=Sum("shipment_lines__quantity"))
    return {
        line.pk: max(0, line.quantity - line.refunded_quantity - (line.shipped or 0))
        for line in lines
    }


def _derive(order: Order) -> None:
    """Set the fulfilment of each seller's part and of the order from the parcels."""
    statuses = set()
    for part in order.seller_orders.order_by("pk"):
        left, parcels = _left_to_ship(part), list(part.shipments.all())
        part.fulfilment_status = _status_of(left, parcels)
        part.save(update_fields=["fulfilment_status"])
        if parcels or any(left.values()):  # A part that is wholly given back holds nobody up.
            statuses.add(part.fulfilment_status)
    statuses = statuses or {Fulfilment.UNFULFILLED}
    if len(statuses) == 1:
        order.fulfilment_status = statuses.pop()
    elif statuses <= {Fulfilment.FULFILLED, Fulfilment.DELIVERED}:
        order.fulfilment_status = Fulfilment.FULFILLED
    else:
        order.fulfilment_status = Fulfilment.PARTIALLY_FULFILLED
    order.save(update_fields=["fulfilment_status"])
    if order.fulfilment_status == Fulfilment.DELIVERED:
        transitions.complete(order)


def _status_of(left: Mapping[int, int], parcels: list[Shipment]) -> Fulfilment:
    if not parcels:
        return Fulfilment.UNFULFILLED
    if any(left.values()):
        return Fulfilment.PARTIALLY_FULFILLED
    if all(parcel.delivered_at for parcel in parcels):
        return Fulfilment.DELIVERED
    return Fulfilment.FULFILLED
