from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField, CurrencyField
from shop.money import Money


class Refund(models.Model):
    """Money on its way back: the row first, the provider's call second, its result third.

    `asked_at` is when the sweep last tried to ask how it stands. A refund that began at the
    provider has its number there in its key.
    """

    BEGUN_ELSEWHERE = "provider:"

    class Status(models.TextChoices):
        PENDING = "pending", _("on its way")
        SUCCEEDED = "succeeded", _("refunded")
        FAILED = "failed", _("failed")

    ALLOWED_CHANGES = {
        Status.PENDING: {Status.SUCCEEDED, Status.FAILED},
        # A bank may give the money back days later, when it cannot pay it out.
        Status.SUCCEEDED: {Status.FAILED},
        Status.FAILED: set(),
    }

    attempt = models.ForeignKey("PaymentAttempt", on_delete=models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=120, unique=True)
    amount = AmountField()
    currency = CurrencyField()
    reason = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    provider_id = models.CharField(max_length=120, blank=True, db_index=True)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    asked_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="refund_amount_positive", condition=Q(amount__gt=0)),
            models.UniqueConstraint(
                fields=["attempt", "provider_id"],
                name="refund_known_once",
                condition=~Q(provider_id=""),
            ),
        ]
        indexes = [
            models.Index(fields=["asked_at"], name="refund_pending", condition=Q(status="pending"))
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_begun_elsewhere(self) -> bool:
        return self.key.startswith(self.BEGUN_ELSEWHERE)

    def can_become(self, status: str) -> bool:
        return status in self.ALLOWED_CHANGES[self.Status(self.status)]
