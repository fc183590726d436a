from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField


class Cart(models.Model):
    """What somebody is about to buy. Found through the session, created at the first add.

    `submit_key` travels in the checkout form: it is unique in orders, so submitting the same cart
    twice, from two tabs or by the back button, leads to the same order.

    `version` counts the changes of its lines. A person may have the cart on several devices: `device`
    marks the one that changed it last, `taken_over` is the version with which that one began. So
    whoever saw version 5 knows that another device was here since, if `taken_over` is beyond 6.
    """

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, null=True, blank=True, related_name="carts"
    )
    submit_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    version = models.PositiveIntegerField(db_default=0)
    device = models.CharField(max_length=16, blank=True, db_default="")
    taken_over = models.PositiveIntegerField(db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("cart")
        verbose_name_plural = _("carts")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], name="cart_one_open_per_person", condition=Q(closed_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"cart {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    def was_elsewhere_since(self, version: int, *, device: str) -> bool:
        """Say whether another device than this one changed it after a version."""
        return version < (self.taken_over - 1 if self.device == device else self.version)


class CartItem(models.Model):
    """A variant in a cart. `seen_price` is the unit price last shown, to tell when it changed."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="items")
    variant = models.ForeignKey(
        "catalog.ProductVariant", on_delete=models.CASCADE, related_name="+"
    )
    quantity = models.PositiveIntegerField(_("quantity"))
    seen_price = AmountField()
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("cart item")
        verbose_name_plural = _("cart items")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["cart", "variant"], name="cart_item_once_per_variant"),
            models.CheckConstraint(name="cart_item_quantity", condition=Q(quantity__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.variant_id}"
