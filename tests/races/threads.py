"""Several people at once: threads with connections of their own, and a row that holds them up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, connections, transaction
from django.db.models import QuerySet

PATIENCE = 20
Action = Callable[[], Any]


def at_once(*actions: Action) -> list[Any]:
    """Run actions in threads that start together; an exception stands as its result."""
    barrier = threading.Barrier(len(actions))

    def run(action: Action) -> Any:
        barrier.wait(PATIENCE)
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        futures = [pool.submit(_with_own_connection, run, action) for action in actions]
        return [future.result(PATIENCE) for future in futures]


def meeting_at(rows: QuerySet[Any], *actions: Action) -> list[Any]:
    """Run actions that all come to wait for the same rows, then let go: the race always happens."""
    with ThreadPoolExecutor(len(actions)) as pool:
        with transaction.atomic(durable=True):
            list(rows.select_for_update())
            futures = [pool.submit(_with_own_connection, action) for action in actions]
            wait_until_blocked(len(actions))
        return [future.result(PATIENCE) for future in futures]


def wait_until_blocked(count: int) -> None:
    """Wait until so many connections of this database wait for a lock."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.01)
    raise TimeoutError(f"{count} connections never came to wait for a lock")


def _with_own_connection(action: Callable[..., Any], *arguments: Any) -> Any:
    try:
        connection.ensure_connection()
        return action(*arguments)
    except Exception as error:
        return error
    finally:
        connections.close_all()
