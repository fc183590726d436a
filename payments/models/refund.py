from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField, CurrencyField


class Refund(models.Model):
    """Money on its way back: the row first, the provider's call second, its result third."""

    class Status(models.TextChoices):
        PENDING = "pending", _("on its way")
        SUCCEEDED = "succeeded", _("refunded")
        FAILED = "failed", _("failed")

    attempt = models.ForeignKey("PaymentAttempt", on_delete=models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=120, unique=True)
    amount = AmountField()
    currency = CurrencyField()
    reason = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    provider_id = models.CharField(max_length=120, blank=True, db_index=True)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="refund_amount_positive", condition=Q(amount__gt=0))
        ]

    def __str__(self) -> str:
        return self.key
