from __future__ import annotations

from django.db import models
from django.db.models import Func
from django.db.models.functions import Cast, Now


class Change(models.Model):
    """A line of the journal: something that pages show has changed.

    `xid` is the number of the transaction that wrote it, by which a reader knows what it has not
    seen yet; ids and times do not tell, since transactions commit in another order.
    """

    subject = models.TextField()
    xid = models.BigIntegerField(
        db_default=Cast(
            Cast(
                Func(function="pg_current_xact_id", output_field=models.TextField()),
                models.TextField(),
            ),
            models.BigIntegerField(),
        )
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["xid"], name="change_by_transaction")]

    def __str__(self) -> str:
        return self.subject
