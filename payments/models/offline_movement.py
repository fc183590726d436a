from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField, CurrencyField


class OfflineMovement(models.Model):
    """Money that moved without a provider, as staff wrote it down; append-only.

    `key` says what for: the reference of the attempt that it pays, or the key of the refund that it
    is. It is the truth that the offline gateway reads.
    """

    class Kind(models.TextChoices):
        RECEIVED = "received", _("received")
        SENT = "sent", _("sent back")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=120)
    amount = AmountField(_("amount"))
    currency = CurrencyField(_("currency"))
    moved_on = models.DateField(_("day"))
    bank_reference = models.CharField(_("reference"), max_length=140, blank=True)
    recorded_by = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("money outside a provider")
        verbose_name_plural = _("money outside a provider")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="offline_movement_once"),
            models.CheckConstraint(name="offline_movement_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount:f} {self.currency}"
