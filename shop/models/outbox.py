from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class OutboxMessage(models.Model):
    """A side effect that was decided in a transaction and is still to be done, once."""

    key = models.CharField(max_length=200, unique=True)
    task = models.CharField(max_length=100)
    payload = models.JSONField(default=dict)
    priority = models.PositiveSmallIntegerField(
        db_default=5, help_text=_("Lower goes first: people wait for mails, nobody for pictures.")
    )
    created_at = models.DateTimeField(db_default=Now())
    available_at = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    unheard_runs = models.PositiveSmallIntegerField(
        db_default=0, help_text=_("Runs that began and were not heard of again.")
    )
    error = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    dead_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["priority", "available_at"],
                name="outbox_waiting",
                condition=Q(done_at=None, dead_at=None),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="outbox_done_or_dead", condition=Q(done_at=None) | Q(dead_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.key}"
