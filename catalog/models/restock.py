from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class RestockRequest(models.Model):
    """Somebody wants one mail when a variant is there again; nothing is sent until they confirm.

    `email` is written small. A request is over with its mail (`told_at`) or when it is taken back,
    which deletes it.
    """

    variant = models.ForeignKey(
        "ProductVariant", on_delete=models.CASCADE, related_name="restock_requests"
    )
    email = models.EmailField(_("email"), max_length=254)
    language = models.CharField(max_length=10)
    asked_at = models.DateTimeField(_("asked"), db_default=Now())
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    told_at = models.DateTimeField(_("told"), null=True, blank=True)

    class Meta:
        verbose_name = _("wish to be told")
        verbose_name_plural = _("wishes to be told")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "email"],
                name="restock_asked_once",
                condition=Q(told_at=None),
            )
        ]
        indexes = [
            models.Index(
                fields=["variant", "id"],
                name="restock_waiting",
                condition=Q(told_at=None, confirmed_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.variant_id}"
