"""The relay: hands outbox rows to Celery, or runs them itself where there is no broker.

A row stays until its task reports success. What was handed over and never came back (a killed
worker, an emptied broker) is handed over again when its lease runs out, so a task may run twice and
must be safe to. After MAX_ATTEMPTS failures, three days of them, a row is dead and waits for a
person; a broker that is away is nobody's failure, however long it takes. A task whose worker dies
again and again is given up after MAX_UNHEARD_RUNS: it may be what kills it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from celery import current_app
from django.db import connection
from django.db.models import Q
from kombu.exceptions import OperationalError as BrokerAway

from shop.clock import now
from shop.failpoints import failpoint
from shop.models import OutboxMessage
from shop.transactions import no_transaction, own_transaction

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 78
MAX_UNHEARD_RUNS = 5
LEASE = timedelta(minutes=3)
BACKOFF_SECONDS = (2, 15, 60, 300, 900, 1800, 3600)
BROKER_PAUSE = timedelta(seconds=5)
KEEP_DONE = timedelta(days=7)

# Only so much is handed over at a time: what lies in the broker for longer than its lease is handed
# over again and again. Of what nobody waits for, such as pictures, a thousand rows would do so; of
# the rest it takes some thousands, after an hour without workers.
LAST_PROMPT_PRIORITY = 5
MOST_PROMPT_LEASED = 2_000
MOST_SLOW_LEASED = 20

_CLAIM = """
WITH leased AS (
    SELECT count(*) FILTER (WHERE priority <= %(last_prompt)s) AS prompt,
        count(*) FILTER (WHERE priority > %(last_prompt)s) AS slow
    FROM shop_outboxmessage
    WHERE done_at IS NULL AND dead_at IS NULL AND leased_until >= now()
), prompt AS (
    SELECT id FROM shop_outboxmessage
    WHERE done_at IS NULL AND dead_at IS NULL AND available_at <= now()
      AND (leased_until IS NULL OR leased_until < now()) AND priority <= %(last_prompt)s
    ORDER BY priority, available_at, id
    LIMIT greatest(0, least(%(batch)s, %(most_prompt)s - (SELECT prompt FROM leased)))
    FOR UPDATE SKIP LOCKED
), slow AS (
    SELECT id FROM shop_outboxmessage
    WHERE done_at IS NULL AND dead_at IS NULL AND available_at <= now()
      AND (leased_until IS NULL OR leased_until < now()) AND priority > %(last_prompt)s
    ORDER BY priority, available_at, id
    LIMIT greatest(0, least(
        %(batch)s - (SELECT count(*) FROM prompt), %(most_slow)s - (SELECT slow FROM leased)
    ))
    FOR UPDATE SKIP LOCKED
)
UPDATE shop_outboxmessage SET leased_until = now() + make_interval(secs => %(lease)s)
WHERE id IN (SELECT id FROM prompt UNION ALL SELECT id FROM slow)
RETURNING priority, id, task, payload::text
"""


class NotYet(Exception):
    """The time of a task has not come: it is asked again after a pause, and nothing has failed."""

    pause = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Claimed:
    id: int
    task: str
    payload: dict[str, Any]


@no_transaction
def relay_once(
    deliver: Callable[[Claimed], None],
    *,
    batch: int = 100,
    is_stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Claim what is due and deliver it; return how many rows were claimed.

    When the process is told to stop, the row in hand is finished and the others are given back.
    """
    claimed = claim(batch)
    if claimed:
        failpoint("shop.relay.claimed")
    for place, message in enumerate(claimed):
        if is_stopping():
            give_back(message.id for message in claimed[place:])
            break
        try:
            deliver(message)
        except BrokerAway as error:
            logger.warning("the broker is away (%s); %s rows wait", error, len(claimed) - place)
            put_off([waiting.id for waiting in claimed[place:]], reason=f"no broker: {error}")
            break
        except Exception as error:
            logger.exception("outbox %s (%s) could not be delivered", message.id, message.task)
            record_failure(message.id, error=f"{type(error).__name__}: {error}")
    return len(claimed)


@own_transaction
def claim(batch: int) -> list[Claimed]:
    """Lease the rows that are due; rows that another relay holds are skipped."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "batch": batch,
                "lease": LEASE.total_seconds(),
                "last_prompt": LAST_PROMPT_PRIORITY,
                "most_prompt": MOST_PROMPT_LEASED,
                "most_slow": MOST_SLOW_LEASED,
            },
        )
        rows = sorted(cursor.fetchall())
    return [Claimed(id, task, json.loads(payload)) for _priority, id, task, payload in rows]


@own_transaction
def give_back(message_ids: Iterable[int]) -> None:
    """End the lease of rows that were not delivered."""
    OutboxMessage.objects.filter(pk__in=list(message_ids), done_at=None).update(leased_until=None)


@no_transaction
def publish(message: Claimed) -> None:
    """Give a task to the broker; the worker reports how it went."""
    current_app.send_task(message.task, kwargs=message.payload, headers=_headers(message))


@no_transaction
def run_here(message: Claimed) -> None:
    """Run a task in this process; it reports through the same hooks as in a worker."""
    task = registered_tasks()[message.task]
    task.apply(kwargs=message.payload, headers=_headers(message))


@cache
def registered_tasks() -> Mapping[str, Any]:
    """Return every task by name, once the apps' task modules are imported."""
    current_app.loader.import_default_modules()
    tasks: Mapping[str, Any] = current_app.tasks
    return tasks


@own_transaction
def record_start(message_id: int) -> bool:
    """Note that a task begins; False says that it must not, because its row is done or given up.

    The lease begins anew: what waited for long in the broker gets its whole time.
    """
    message = _lock_unfinished(message_id)
    if message is None:
        return False
    is_deadly = message.unheard_runs >= MAX_UNHEARD_RUNS
    if is_deadly:
        message.dead_at, message.leased_until = now(), None
        message.error = f"Its worker died {message.unheard_runs} times while it ran."
    else:
        message.unheard_runs += 1
        message.leased_until = now() + LEASE
    message.save()
    return not is_deadly


@own_transaction
def record_success(message_id: int) -> None:
    """Close a row whose task is done."""
    OutboxMessage.objects.filter(pk=message_id, done_at=None, dead_at=None).update(
        done_at=now(), leased_until=None, error=""
    )


@own_transaction
def record_failure(message_id: int, *, error: str) -> None:
    """Count a failure: try again later, or give the row up for a person to look at."""
    message = _lock_unfinished(message_id)
    if message is None:
        return
    message.attempts += 1
    message.unheard_runs = 0
    message.error = error[:2000]
    message.leased_until = None
    if message.attempts >= MAX_ATTEMPTS:
        message.dead_at = now()
    else:
        pause = BACKOFF_SECONDS[min(message.attempts, len(BACKOFF_SECONDS)) - 1]
        message.available_at = now() + timedelta(seconds=pause)
    message.save()


@own_transaction
def ask_again(message_id: int, *, reason: str, pause: timedelta) -> None:
    """Let a task that ran too early run again after a pause, without counting a failure."""
    OutboxMessage.objects.filter(pk=message_id, done_at=None, dead_at=None).update(
        available_at=now() + pause, leased_until=None, unheard_runs=0, error=reason[:2000]
    )


@own_transaction
def put_off(message_ids: list[int], *, reason: str) -> None:
    """Let rows wait for a moment without counting a failure."""
    OutboxMessage.objects.filter(pk__in=message_ids, done_at=None, dead_at=None).update(
        leased_until=now() + BROKER_PAUSE, error=reason[:2000]
    )


@own_transaction
def revive(message_id: int) -> bool:
    """Put a row that failed, or was given up, first in line, as staff ask for in the admin."""
    has_failed = Q(dead_at__isnull=False) | Q(attempts__gt=0)
    is_at_rest = Q(leased_until=None) | Q(leased_until__lt=now())
    return bool(
        OutboxMessage.objects.filter(has_failed, is_at_rest, pk=message_id, done_at=None).update(
            dead_at=None, attempts=0, unheard_runs=0, available_at=now(), leased_until=None
        )
    )


@own_transaction
def clear_done() -> int:
    """Delete rows that were done a week ago; return how many."""
    deleted, _by_model = OutboxMessage.objects.filter(done_at__lt=now() - KEEP_DONE).delete()
    return deleted


def _lock_unfinished(message_id: int) -> OutboxMessage | None:
    unfinished = OutboxMessage.objects.filter(pk=message_id, done_at=None, dead_at=None)
    return unfinished.select_for_update().first()


def _headers(message: Claimed) -> dict[str, int]:
    return {"outbox_id": message.id}
