from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order
from shop.fields import AmountField


class SellerOrder(models.Model):
    """One seller's part of an order: what that seller packs, ships and is owed for."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="seller_orders")
    seller = models.ForeignKey(
        "accounts.Seller", on_delete=models.PROTECT, related_name="seller_orders"
    )
    items_total = AmountField(_("items"))
    fulfilment_status = models.CharField(
        _("fulfilment"),
        max_length=20,
        choices=Order.FulfilmentStatus.choices,
        default=Order.FulfilmentStatus.UNFULFILLED,
    )

    class Meta:
        verbose_name = _("seller order")
        verbose_name_plural = _("seller orders")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "seller"], name="seller_order_once")
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.seller_id}"


class Shipment(models.Model):
    """A parcel on its way, with what is in it."""

    seller_order = models.ForeignKey(
        SellerOrder, on_delete=models.PROTECT, related_name="shipments"
    )
    carrier = models.CharField(_("carrier"), max_length=60)
    tracking_number = models.CharField(_("tracking number"), max_length=80, blank=True)
    tracking_url = models.URLField(_("tracking link"), max_length=500, blank=True)
    shipped_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.carrier} {self.tracking_number}".strip()


class ShipmentLine(models.Model):
    """How many pieces of an order line a parcel holds."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(
        "OrderLine", on_delete=models.PROTECT, related_name="shipment_lines"
    )
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("shipment line")
        verbose_name_plural = _("shipment lines")
        constraints = [
            models.UniqueConstraint(fields=["shipment", "order_line"], name="shipment_line_once"),
            models.CheckConstraint(name="shipment_line_quantity", condition=Q(quantity__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.order_line_id}"
