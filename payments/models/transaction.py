from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField, CurrencyField


class PaymentTransaction(models.Model):
    """Money that moved at the provider, as it told us; append-only."""

    class Kind(models.TextChoices):
        CAPTURE = "capture", _("paid")
        REFUND = "refund", _("refunded")
        REVERSAL = "reversal", _("the refund came back")
        DISPUTE = "dispute", _("taken back in a dispute")
        DISPUTE_WON = "dispute_won", _("given back after a dispute")
        FEE = "fee", _("dispute fee")
        FEE_RETURNED = "fee_returned", _("dispute fee taken back")

    attempt = models.ForeignKey(
        "PaymentAttempt", on_delete=models.PROTECT, related_name="transactions"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    amount = AmountField()
    currency = CurrencyField()
    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("payment transaction")
        verbose_name_plural = _("payment transactions")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "provider_id"], name="transaction_booked_once"
            ),
            models.CheckConstraint(name="transaction_amount_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount:f} {self.currency}"
