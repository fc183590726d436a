from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class ProductRelation(models.Model):
    """A product that the shop recommends beside another one; the other need not recommend it back."""

    product = models.ForeignKey("Product", on_delete=models.CASCADE, related_name="relations")
    other = models.ForeignKey(
        "Product", verbose_name=_("product"), on_delete=models.CASCADE, related_name="+"
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("related product")
        verbose_name_plural = _("related products")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "other"],
                name="related_once",
                violation_error_message=_("This product is recommended already."),
            ),
            models.CheckConstraint(
                name="related_to_another",
                condition=~Q(product=F("other")),
                violation_error_message=_("A product cannot be recommended beside itself."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.other_id)
