"""Forgetting what is past its time: in batches, so that nobody waits for a lock for long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Model, Q, QuerySet

from shop.models import Mail, OutboxMessage
from shop.transactions import inside_transaction, no_transaction, own_transaction

BATCH = 500
MOST_BATCHES = 2_000
"""A million rows a night; what is left over goes the next night."""
EMPTY_MAIL = {"recipient": "", "subject": "", "text": "", "html": ""}


@no_transaction
def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Delete rows, each batch in a transaction of its own; rows that somebody holds are skipped."""
    return in_batches(rows, lambda found: found.delete()[0])


@no_transaction
def update_in_batches(rows: QuerySet[Any], **columns: Any) -> int:
    """Empty columns of rows that `rows` no longer finds then."""
    return in_batches(rows, lambda found: found.update(**columns))


@no_transaction
def in_batches(rows: QuerySet[Any], work: Callable[[QuerySet[Any]], int]) -> int:
    """Call `work` with so many locked rows at a time until none is left; return what it counted.

    `work` has to see to it that `rows` does not find them again.
    """
    count = 0
    for _batch in range(MOST_BATCHES):
        found, done = _work_on_next(rows, work)
        count += done
        if found < BATCH:
            break
    return count


@own_transaction
def _work_on_next(rows: QuerySet[Any], work: Callable[[QuerySet[Any]], int]) -> tuple[int, int]:
    model: type[Model] = rows.model
    locked = rows.order_by("pk").select_for_update(of=["self"], skip_locked=True)
    ids = list(locked.values_list("pk", flat=True)[:BATCH])
    return len(ids), work(model._default_manager.filter(pk__in=ids)) if ids else 0


@inside_transaction
def forget_mails(which: Q) -> int:
    """Empty mails; what was not sent yet is not sent any more. Return how many were.

    The row stays, since it says that there was a mail on this occasion: none is written twice.
    """
    mails = Mail.objects.filter(which).exclude(recipient="")
    keys = [f"mail:{pk}" for pk in mails.values_list("pk", flat=True)]
    OutboxMessage.objects.filter(key__in=keys).exclude(error="").update(error="")
    return mails.update(**EMPTY_MAIL, error="")
