from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField, CurrencyField
from shop.money import Money


class Capture(models.Model):
    """Money to be taken of an authorisation: the row first, the provider's call second, its result
    third.

    It may be less than was authorised; the provider lets go of the rest. `asked_at` is when the
    sweep last asked again.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("being taken")
        SUCCEEDED = "succeeded", _("taken")
        FAILED = "failed", _("failed")

    ALLOWED_CHANGES = {
        Status.PENDING: {Status.SUCCEEDED, Status.FAILED},
        Status.SUCCEEDED: set(),
        Status.FAILED: set(),
    }

    attempt = models.ForeignKey("PaymentAttempt", on_delete=models.PROTECT, related_name="captures")
    key = models.CharField(max_length=120, unique=True)
    amount = AmountField(_("amount"))
    currency = CurrencyField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    asked_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("capture")
        verbose_name_plural = _("captures")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="capture_amount_positive", condition=Q(amount__gt=0)),
            models.UniqueConstraint(
                fields=["attempt"],
                name="capture_one_at_a_time",
                condition=Q(status="pending"),
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    def can_become(self, status: str) -> bool:
        return status in self.ALLOWED_CHANGES[self.Status(self.status)]
