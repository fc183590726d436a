from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField


class OrderLine(models.Model):
    """A variant and how many of it were bought; net, tax and gross are for the whole line.

    `is_stock_held` says that the line's pieces were promised from counted stock,
    `refunded_quantity` how many pieces were given back, or are about to be.
    """

    order = models.ForeignKey("Order", on_delete=models.CASCADE, related_name="lines")
    seller_order = models.ForeignKey("SellerOrder", on_delete=models.PROTECT, related_name="lines")
    variant = models.ForeignKey(
        "catalog.ProductVariant",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="order_lines",
    )
    sku = models.CharField(_("SKU"), max_length=80)
    title = models.CharField(_("title"), max_length=250)
    variant_label = models.CharField(_("variant"), max_length=250, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"))
    unit_price = AmountField(_("unit price"))
    net = AmountField(_("net"))
    tax = AmountField(_("tax"))
    gross = AmountField(_("gross"))
    tax_percent = models.DecimalField(max_digits=6, decimal_places=3, default=Decimal(0))
    weight_grams = models.PositiveIntegerField(default=0)
    is_stock_held = models.BooleanField(default=True)
    refunded_quantity = models.PositiveIntegerField(default=0, db_default=0)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(name="order_line_quantity", condition=Q(quantity__gte=1)),
            models.CheckConstraint(
                name="order_line_refunded", condition=Q(refunded_quantity__lte=F("quantity"))
            ),
            models.CheckConstraint(
                name="order_line_adds_up", condition=Q(gross=F("net") + F("tax"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.title}"


class TaxLine(models.Model):
    """What one tax rate takes on an order, delivery included."""

    order = models.ForeignKey("Order", on_delete=models.CASCADE, related_name="tax_lines")
    name = models.CharField(max_length=60)
    percent = models.DecimalField(max_digits=6, decimal_places=3)
    net = AmountField()
    tax = AmountField()

    class Meta:
        verbose_name = _("tax line")
        verbose_name_plural = _("tax lines")
        ordering = ["-percent"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "name", "percent"], name="tax_line_once_per_rate"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f} %: {self.tax:f}"
