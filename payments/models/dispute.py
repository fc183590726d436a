from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField, CurrencyField
from shop.money import Money


class Dispute(models.Model):
    """A shopper's bank asks for the money of a payment back, as the provider tells it.

    Nothing is decided here: staff answer at the provider, who says how it ended.
    """

    class Status(models.TextChoices):
        INQUIRY = "inquiry", _("the bank asks")
        NEEDS_RESPONSE = "needs_response", _("waits for an answer")
        UNDER_REVIEW = "under_review", _("the bank is deciding")
        WON = "won", _("won")
        LOST = "lost", _("lost")
        CLOSED = "closed", _("closed without a decision")

    OPEN = (Status.INQUIRY, Status.NEEDS_RESPONSE, Status.UNDER_REVIEW)
    MONEY_IS_GONE = (Status.NEEDS_RESPONSE, Status.UNDER_REVIEW, Status.LOST)
    """While a dispute is in one of these the bank has its amount; after a mere question it has not."""
    ALLOWED_CHANGES = {
        Status.INQUIRY: {
            Status.NEEDS_RESPONSE, Status.UNDER_REVIEW, Status.WON, Status.LOST, Status.CLOSED,
        },
        Status.NEEDS_RESPONSE: {Status.UNDER_REVIEW, Status.WON, Status.LOST, Status.CLOSED},
        Status.UNDER_REVIEW: {Status.WON, Status.LOST, Status.CLOSED},
        # A bank may take its decision back, either way.
        Status.WON: {Status.LOST},
        Status.LOST: {Status.WON},
        Status.CLOSED: {Status.NEEDS_RESPONSE, Status.UNDER_REVIEW, Status.WON, Status.LOST},
    }  # fmt: skip

    attempt = models.ForeignKey("PaymentAttempt", on_delete=models.PROTECT, related_name="disputes")
    provider = models.CharField(_("provider"), max_length=20)
    provider_id = models.CharField(max_length=120)
    amount = AmountField(_("amount"))
    currency = CurrencyField(_("currency"))
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices)
    due_by = models.DateTimeField(_("answer until"), null=True, blank=True)
    opened_at = models.DateTimeField(_("opened"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_id"], name="dispute_once"),
            models.CheckConstraint(name="dispute_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="dispute_closed_says_when",
                condition=Q(
                    status__in=("inquiry", "needs_response", "under_review"), closed_at=None
                )
                | Q(status__in=("won", "lost", "closed"), closed_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_by"],
                name="dispute_open",
                condition=Q(status__in=("inquiry", "needs_response", "under_review")),
            )
        ]

    def __str__(self) -> str:
        return self.provider_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    def can_become(self, status: str) -> bool:
        return status in self.ALLOWED_CHANGES[self.Status(self.status)]
