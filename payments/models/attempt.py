from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField, CurrencyField
from shop.money import Money


class PaymentAttempt(models.Model):
    """One try to be paid a frozen amount by one provider. It knows a reference, never an order.

    `reference` goes to the provider and is the root of every idempotency key, so it is stored
    before the first call. `checked_at` is when the provider last told how the attempt stands,
    `asked_at` when the sweep, the return page or staff last tried to ask. `capture_asked_at` is
    when we last set out to take what the shopper approved; empty once its outcome is known.
    """

    class Status(models.TextChoices):
        CREATED = "created", _("not yet at the provider")
        STARTED = "started", _("waiting for the shopper")
        PROCESSING = "processing", _("the provider is working")
        AUTHORISED = "authorised", _("authorised, not taken yet")
        CAPTURED = "captured", _("paid")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")
        HELD = "held", _("held: the provider's amount differs")

    OPEN = (Status.CREATED, Status.STARTED, Status.PROCESSING)
    CLOSED_UNPAID = (Status.FAILED, Status.CANCELLED, Status.EXPIRED)
    ALLOWED_CHANGES = {
        Status.CREATED: {
            Status.STARTED, Status.PROCESSING, Status.AUTHORISED, Status.CAPTURED, Status.FAILED,
            Status.CANCELLED, Status.EXPIRED, Status.HELD,
        },
        Status.STARTED: {
            Status.PROCESSING, Status.AUTHORISED, Status.CAPTURED, Status.FAILED, Status.CANCELLED,
            Status.EXPIRED, Status.HELD,
        },
        Status.PROCESSING: {
            Status.STARTED, Status.AUTHORISED, Status.CAPTURED, Status.FAILED, Status.CANCELLED,
            Status.EXPIRED, Status.HELD,
        },
        Status.AUTHORISED: {Status.CAPTURED, Status.CANCELLED, Status.EXPIRED, Status.HELD},
        # The provider's word is final: money may still come, or be on its way, after we gave up.
        Status.FAILED: {Status.PROCESSING, Status.AUTHORISED, Status.CAPTURED, Status.HELD},
        Status.CANCELLED: {Status.PROCESSING, Status.AUTHORISED, Status.CAPTURED, Status.HELD},
        Status.EXPIRED: {Status.PROCESSING, Status.AUTHORISED, Status.CAPTURED, Status.HELD},
        Status.CAPTURED: set(),
        Status.HELD: set(),
    }  # fmt: skip

    reference = models.CharField(max_length=60, unique=True)
    provider = models.CharField(_("provider"), max_length=20)
    status = models.CharField(
        _("status"), max_length=12, choices=Status.choices, default=Status.CREATED
    )
    customer = models.ForeignKey(
        "Customer", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    amount = AmountField(_("amount"))
    currency = CurrencyField(_("currency"))
    provider_session_id = models.CharField(max_length=120, blank=True, db_index=True)
    provider_payment_id = models.CharField(max_length=120, blank=True, db_index=True)
    redirect_url = models.TextField(blank=True)
    failure = models.CharField(_("what went wrong"), max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    checked_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    capture_asked_at = models.DateTimeField(null=True, blank=True)
    capture_later = models.BooleanField(db_default=False, default=False)
    authorised_at = models.DateTimeField(null=True, blank=True)
    authorised_until = models.DateTimeField(null=True, blank=True)
    release_asked_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("payment attempt")
        verbose_name_plural = _("payment attempts")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="attempt_open",
                condition=Q(status__in=("created", "started", "processing")),
            ),
            models.Index(
                fields=["expires_at"],
                name="attempt_given_up",
                condition=Q(status__in=("failed", "cancelled", "expired"))
                & ~Q(provider_session_id="")
                & (Q(checked_at=None) | Q(checked_at__lt=F("expires_at"))),
            ),
            models.Index(
                fields=["authorised_until"],
                name="attempt_authorised",
                condition=Q(status="authorised"),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="attempt_amount_positive", condition=Q(amount__gt=0))
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    def can_become(self, status: str) -> bool:
        return status in self.ALLOWED_CHANGES[self.Status(self.status)]
