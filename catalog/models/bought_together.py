from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class BoughtTogether(models.Model):
    """In how many paid orders another product lay beside a product; only its best companions.

    Orders know it and write it downward, through `catalog.services.bought_together`.
    """

    product = models.ForeignKey("Product", on_delete=models.CASCADE, related_name="companions")
    other = models.ForeignKey("Product", on_delete=models.CASCADE, related_name="+")
    orders = models.PositiveIntegerField()

    class Meta:
        verbose_name = "bought together"
        verbose_name_plural = "bought together"
        ordering = ["-orders", "id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "other"], name="bought_together_once"),
            models.CheckConstraint(name="bought_with_another", condition=~Q(product=F("other"))),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} with {self.other_id}: {self.orders}"
