from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Purchase(models.Model):
    """Somebody bought a product, as the floor above told when the order was paid.

    `email` is written small, so that a guest is known by it; it is what a review goes by when
    there is no account.
    """

    product = models.ForeignKey("Product", on_delete=models.CASCADE, related_name="purchases")
    user = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    email = models.EmailField(_("email"), max_length=254)
    order_number = models.CharField(_("order"), max_length=20)
    bought_at = models.DateTimeField(_("bought"))

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        constraints = [
            models.UniqueConstraint(
                fields=["product", "order_number"], name="purchase_once_per_order"
            )
        ]
        indexes = [models.Index(fields=["email", "product"], name="purchase_by_email")]

    def __str__(self) -> str:
        return f"{self.order_number}: {self.product_id}"
