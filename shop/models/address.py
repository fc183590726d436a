from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class FormerAddress(models.Model):
    """An address that something had before it got another name: old links still lead there.

    It names what it leads to, not where that is now, so that a second new name needs no second
    step. The kinds are those of pages; what a kind's id means, the app of the page knows.
    """

    class Kind(models.TextChoices):
        PRODUCT = "product"
        CATEGORY = "category"
        COLLECTION = "collection"
        SELLER = "seller"
        PAGE = "page"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    path = models.CharField(max_length=600)
    target_id = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "path"], name="former_address_once")]
        indexes = [models.Index(fields=["kind", "target_id"], name="former_address_target")]

    def __str__(self) -> str:
        return f"{self.kind} {self.path}"
