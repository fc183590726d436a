"""Sellers' parts as the admin shows them: lines, what is left of them, parcels."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from catalog.queries import Picture, list_variant_pictures
from orders.admin.todo import UNSHIPPED
from orders.models import Order, OrderLine, SellerOrder, Shipment, ShipmentLine
from orders.queries import ShipmentView
from orders.services.fulfilment import SHIPPABLE
from shop.money import Money

FULFILMENT_COLOURS = {
    Order.FulfilmentStatus.UNFULFILLED.value: "warning",
    Order.FulfilmentStatus.PARTIALLY_FULFILLED.value: "warning",
    Order.FulfilmentStatus.FULFILLED.value: "info",
    Order.FulfilmentStatus.DELIVERED.value: "success",
}


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with how many of its pieces were sent; amounts as the shopper saw them."""

    id: int
    title: str
    label: str
    sku: str
    picture: Picture | None
    quantity: int
    shipped: int
    refunded: int
    unit_price: Money
    total: Money
    tax_percent: str

    @property
    def left(self) -> int:
        """Pieces still to be sent; what was given back is first what was not sent yet."""
        return max(0, self.quantity - self.refunded - self.shipped)

    @property
    def refundable(self) -> int:
        return self.quantity - self.refunded


@dataclass(frozen=True, slots=True)
class Parcel:
    id: int
    shipment: ShipmentView


@dataclass(frozen=True, slots=True)
class PartView:
    id: int
    seller: str
    status: str
    status_label: str
    colour: str
    items_total: Money
    lines: list[LineView]
    parcels: list[Parcel]
    can_ship: bool

    @property
    def left(self) -> int:
        return sum(line.left for line in self.lines)


def list_parts(order: Order, rows: QuerySet[SellerOrder]) -> list[PartView]:
    """Assemble these parts of one order; five statements whatever their number."""
    parts = list(rows.select_related("seller").order_by("pk"))
    parcels = _list_parcels(parts)
    shipped: dict[int, int] = defaultdict(int)
    for found in parcels.values():
        for _parcel, pieces in found:
            for line_id, quantity in pieces.items():
                shipped[line_id] += quantity
    lines = _list_lines(order, parts, shipped)
    is_open = order.status == Order.Status.PLACED and order.payment_status in SHIPPABLE
    stands = order.status in (Order.Status.PLACED, Order.Status.COMPLETED)
    return [
        PartView(
            id=part.pk,
            seller=part.seller.name,
            status=part.fulfilment_status,
            status_label=str(part.get_fulfilment_status_display()) if stands else "",
            colour=FULFILMENT_COLOURS[part.fulfilment_status],
            items_total=Money(part.items_total, order.currency),
            lines=lines[part.pk],
            parcels=[parcel for parcel, _pieces in parcels[part.pk]],
            can_ship=is_open
            and part.fulfilment_status in UNSHIPPED
            and any(line.left for line in lines[part.pk]),
        )
        for part in parts
    ]


def _list_lines(
    order: Order, parts: list[SellerOrder], shipped: dict[int, int]
) -> dict[int, list[LineView]]:
    rows: list[Any] = list(
        OrderLine.objects.filter(seller_order__in=parts).select_related("variant")
    )
    pictures = list_variant_pictures(
        {
            row.variant_id: (row.variant.product_id, row.variant.image_id)
            for row in rows
            if row.variant_id
        }
    )
    views: dict[int, list[LineView]] = defaultdict(list)
    for row in rows:
        price = Money(row.unit_price, order.currency)
        views[row.seller_order_id].append(
            LineView(
                id=row.pk,
                title=row.title,
                label=row.variant_label,
                sku=row.sku,
                picture=pictures.get(row.variant_id),
                quantity=row.quantity,
                shipped=shipped[row.pk],
                refunded=row.refunded_quantity,
                unit_price=price,
                total=price * row.quantity,
                tax_percent=f"{row.tax_percent.normalize():f}",
            )
        )
    return views


def _list_parcels(parts: list[SellerOrder]) -> dict[int, list[tuple[Parcel, dict[int, int]]]]:
    """Return each part's parcels, every one with its pieces by order line."""
    contents: dict[int, list[ShipmentLine]] = defaultdict(list)
    for row in ShipmentLine.objects.filter(shipment__seller_order__in=parts).select_related(
        "order_line"
    ):
        contents[row.shipment_id].append(row)
    parcels: dict[int, list[tuple[Parcel, dict[int, int]]]] = defaultdict(list)
    for shipment in Shipment.objects.filter(seller_order__in=parts):
        inside = contents[shipment.pk]
        view = ShipmentView(
            carrier=shipment.carrier,
            tracking_number=shipment.tracking_number,
            tracking_url=shipment.tracking_url,
            shipped_at=shipment.shipped_at,
            delivered_at=shipment.delivered_at,
            lines=[(row.quantity, row.order_line.title) for row in inside],
        )
        pieces = {row.order_line_id: row.quantity for row in inside}
        parcels[shipment.seller_order_id].append((Parcel(shipment.pk, view), pieces))
    return parcels
