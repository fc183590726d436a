from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class DataCopy(models.Model):
    """A copy of all that is kept about a person, made for them by a task.

    The archive lies in the database, not among the pictures: it goes with its row. `lapses_at` is
    when it is deleted; an empty `ready_at` is still being made.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="data_copies")
    language = models.CharField(max_length=10)
    content = models.BinaryField(default=b"", db_default=b"")
    size = models.PositiveIntegerField(default=0, db_default=0)
    asked_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField(null=True, blank=True)
    lapses_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("copy of a person's data")
        verbose_name_plural = _("copies of people's data")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], name="data_copy_one_at_a_time", condition=Q(ready_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.asked_at:%Y-%m-%d}"
