from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField


class FormerPrice(models.Model):
    """What a variant cost until a moment at which its price or its compare-at price changed.

    Written by a trigger (migration `merchandising`), so that no way to change a price can forget
    it: services, admin, import and SQL by hand alike. Of several changes in one transaction only
    the price counts that shoppers saw before it.
    """

    variant = models.ForeignKey(
        "ProductVariant", on_delete=models.CASCADE, related_name="former_prices"
    )
    price = AmountField(_("price"))
    ended_at = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("former price")
        verbose_name_plural = _("former prices")
        ordering = ["-ended_at"]
        constraints = [
            models.UniqueConstraint(fields=["variant", "ended_at"], name="former_price_once")
        ]

    def __str__(self) -> str:
        return f"{self.price} until {self.ended_at}"
