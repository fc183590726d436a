from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField, CurrencyField
from shop.money import Money


class ReconciliationBreak(models.Model):
    """A place where the provider's books and ours do not agree; staff work through them.

    One row per thing at the provider: it is opened anew when the same thing turns up again, unless
    staff accepted just these amounts.
    """

    class Subject(models.TextChoices):
        CHARGE = "charge", _("payment")
        REFUND = "refund", _("refund")
        DISPUTE = "dispute", _("dispute")

    class Kind(models.TextChoices):
        OURS_ONLY = "ours_only", _("only in our books")
        THEIRS_ONLY = "theirs_only", _("only at the provider")
        DIFFERS = "differs", _("the amounts differ")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        RESOLVED = "resolved", _("resolved")
        ACCEPTED = "accepted", _("accepted")

    ALLOWED_CHANGES = {
        Status.OPEN: {Status.RESOLVED, Status.ACCEPTED},
        # It turned up again, or with other amounts than the accepted ones.
        Status.RESOLVED: {Status.OPEN},
        Status.ACCEPTED: {Status.OPEN, Status.RESOLVED},
    }

    provider = models.CharField(_("provider"), max_length=20)
    subject = models.CharField(_("about"), max_length=10, choices=Subject.choices)
    provider_id = models.CharField(_("the provider's number"), max_length=120)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    attempt = models.ForeignKey(
        "PaymentAttempt", on_delete=models.PROTECT, null=True, blank=True, related_name="breaks"
    )
    transaction = models.ForeignKey(
        "PaymentTransaction", on_delete=models.PROTECT, null=True, blank=True, related_name="breaks"
    )
    ours = AmountField(_("in our books"), null=True, blank=True)
    ours_currency = CurrencyField(blank=True)
    theirs = AmountField(_("at the provider"), null=True, blank=True)
    theirs_currency = CurrencyField(blank=True)
    finding = models.CharField(_("what was found"), max_length=300)
    happened_at = models.DateTimeField(_("when the money moved"))
    first_seen_at = models.DateTimeField(_("first seen"), db_default=Now())
    last_seen_at = models.DateTimeField(_("last seen"))
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.OPEN
    )
    note = models.CharField(_("what came of it"), max_length=300, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("reconciliation break")
        verbose_name_plural = _("reconciliation breaks")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "subject", "provider_id"], name="break_once"
            ),
            models.CheckConstraint(
                name="break_closed_says_why",
                condition=Q(status="open", closed_at=None, note="")
                | (~Q(status="open") & Q(closed_at__isnull=False) & ~Q(note="")),
            ),
        ]
        indexes = [
            models.Index(fields=["happened_at"], name="break_open", condition=Q(status="open"))
        ]

    def __str__(self) -> str:
        return self.provider_id

    @property
    def our_money(self) -> Money | None:
        return None if self.ours is None else Money(self.ours, self.ours_currency)

    @property
    def their_money(self) -> Money | None:
        return None if self.theirs is None else Money(self.theirs, self.theirs_currency)

    def can_become(self, status: str) -> bool:
        return status in self.ALLOWED_CHANGES[self.Status(self.status)]
