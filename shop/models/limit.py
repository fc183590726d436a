from __future__ import annotations

from django.db import models


class Tally(models.Model):
    """How often something was tried until `ends_at`. Whose try it was stands in no row.

    The key is a keyed hash. The table is unlogged: it is written without a wait for the disk, and
    a database that crashed begins with an empty one.
    """

    key = models.CharField(max_length=80, primary_key=True)
    count = models.PositiveIntegerField(db_default=1)
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["ends_at"], name="tally_by_end")]

    def __str__(self) -> str:
        return f"{self.key} {self.count}"


class KeptValue(models.Model):
    """A small value that may not be lost with a cache: what allauth counts, and used codes.

    Unlogged, as the tallies are, with a keyed hash for a key.
    """

    key = models.CharField(max_length=80, primary_key=True)
    value = models.JSONField(db_default=None, null=True)
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["ends_at"], name="kept_value_by_end")]

    def __str__(self) -> str:
        return self.key
