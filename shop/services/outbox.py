"""The outbox: side effects as rows, written in the transaction that decides them."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection

from shop.transactions import inside_transaction

CHANNEL = "outbox"
_ENQUEUE = """
INSERT INTO shop_outboxmessage (key, task, payload, priority, available_at, attempts, error)
VALUES (%s, %s, %s, %s, now() + make_interval(secs => %s), 0, '')
ON CONFLICT (key) DO NOTHING
"""


@inside_transaction
def enqueue(task: str, *, key: str, delay: float = 0, priority: int = 5, **payload: Any) -> None:
    """Decide that a task shall run after this transaction, once for its key.

    `task` is the registered Celery name, `payload` its keyword arguments (JSON values), `delay`
    seconds to wait; of what is due, a lower `priority` goes first. A key that was used before does
    nothing. PostgreSQL hands the notification over at commit, never before.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ENQUEUE, [key, task, json.dumps(payload), priority, delay])
        if cursor.rowcount and not delay:
            cursor.execute(f"NOTIFY {CHANNEL}")
