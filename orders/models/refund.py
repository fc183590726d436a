from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField
from shop.money import Money


class OrderRefund(models.Model):
    """What a placed order gives back: pieces, delivery, or money that nobody tied to pieces.

    `amount` = lines + `shipping_amount` + `other_amount`, tax included, in the order's currency.
    `other_amount` is what was refunded at the provider without naming pieces. It is negative where
    the rest of such an order is given back, and where a discount had made the pieces cheaper: that
    part of it. `key` is the form's, so that two submits are one.
    One that failed gave its pieces back to the order, and the shop keeps the money. One that
    `is_uncharged` was written before the money was taken: so much less is taken, nothing is sent.
    """

    order = models.ForeignKey("Order", on_delete=models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=80, unique=True)
    amount = AmountField(_("amount"))
    shipping_amount = AmountField(default=0)
    shipping_tax = AmountField(default=0)
    other_amount = AmountField(default=0)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    actor = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    is_uncharged = models.BooleanField(db_default=False, default=False)
    created_at = models.DateTimeField(db_default=Now())
    failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("order refund")
        verbose_name_plural = _("order refunds")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="order_refund_amount", condition=Q(amount__gte=0)),
            models.CheckConstraint(
                name="order_refund_shipping",
                condition=Q(shipping_amount__gte=F("shipping_tax"), shipping_tax__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.amount:f}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.order.currency)


class OrderRefundLine(models.Model):
    """How many pieces of a line are given back and what for, tax included.

    `restocked` is how many of them went back on a counted shelf.
    """

    order_refund = models.ForeignKey(OrderRefund, on_delete=models.PROTECT, related_name="lines")
    order_line = models.ForeignKey(
        "OrderLine", on_delete=models.PROTECT, related_name="refund_lines"
    )
    quantity = models.PositiveIntegerField()
    amount = AmountField()
    tax = AmountField()
    restocked = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("order refund line")
        verbose_name_plural = _("order refund lines")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order_refund", "order_line"], name="order_refund_line_once"
            ),
            models.CheckConstraint(
                name="order_refund_line_quantity",
                condition=Q(quantity__gte=1, restocked__lte=F("quantity")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.order_line_id}"


class OrderRefundPayment(models.Model):
    """The row that joins what an order gives back with the money that is sent for it."""

    order_refund = models.ForeignKey(OrderRefund, on_delete=models.PROTECT, related_name="payments")
    refund = models.OneToOneField("payments.Refund", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("payment of an order refund")
        verbose_name_plural = _("payments of order refunds")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.order_refund_id}: {self.refund_id}"
