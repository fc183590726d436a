"""The reading side of the journal of changes: what other processes changed reaches this one.

Transactions do not commit in the order of their numbers. So a reader keeps the snapshot of its last
look, and asks for what that snapshot could not see: each change is delivered once, whenever it was
committed, and the table is only read from the oldest transaction that was still open then.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from shop.transactions import is_in_transaction

logger = logging.getLogger(__name__)

EVERYTHING = "everything"
LONGEST_PAUSE_SECONDS = 3600
"""Who was away for longer may have missed what was pruned meanwhile."""
_LOOK = """
SELECT pg_current_snapshot()::text, pg_current_xact_id_if_assigned()::text::bigint,
       change.id, change.subject, change.xid
FROM (SELECT 1) AS always
LEFT JOIN shop_change AS change
    ON change.xid >= %(horizon)s
    AND (NOT pg_visible_in_snapshot(change.xid::text::xid8, %(seen)s::pg_snapshot)
         OR change.xid = pg_current_xact_id_if_assigned()::text::bigint)
"""

Follower = Callable[[frozenset[str]], Iterable[str]]
"""Takes subjects in, and names what else has changed with them (`category:7` for `product:5`)."""
Watcher = Callable[[frozenset[str], int], None]
"""Takes all subjects, and the highest number of the transactions they come from."""


class _Reader:
    """What this process has seen of the journal. One thread looks, others go on meanwhile."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.snapshot: str | None = None
        self.own_rows: set[int] = set()
        self.looked_at = self.succeeded_at = 0.0
        self.is_due = True
        self.lost_track = False


_reader = _Reader()
_followers: list[Follower] = []
_watchers: list[Watcher] = []


def subscribe(follower: Follower) -> Follower:
    """Have a function called with each batch of subjects, from whichever thread looks.

    It may see a subject that it knows already. What it returns is told to the followers after it
    and to the watchers. When it raises, `everything` follows with the next look.
    """
    if follower not in _followers:
        _followers.append(follower)
    return follower


def watch(watcher: Watcher) -> Watcher:
    """Have a function called with all subjects once every follower has taken them in."""
    if watcher not in _watchers:
        _watchers.append(watcher)
    return watcher


def catch_up() -> int:
    """Take in what was committed since the last look; return how many subjects that were.

    Looks at most every `CHANGES_POLL_SECONDS`, and never inside a transaction: what it has not
    committed yet must not become what the whole process knows. While another thread looks, this one
    goes on with what is known, unless that is too old. A database that is away changes nothing.
    """
    interval = settings.CHANGES_POLL_SECONDS
    now = time.monotonic()
    if not _reader.is_due and now - _reader.looked_at < interval:
        return 0
    if is_in_transaction():
        return 0
    is_too_old = now - _reader.looked_at >= 2 * interval
    if not _reader.lock.acquire(blocking=is_too_old):
        return 0
    try:
        if interval and not _reader.is_due and _reader.looked_at >= now:
            return 0
        return _look()
    finally:
        _reader.lock.release()


def get_horizon() -> int:
    """Return the transaction number below which this process has seen everything, 0 at first."""
    snapshot = _reader.snapshot
    return int(snapshot.partition(":")[0]) if snapshot else 0


def get_start() -> int:
    """Return the transaction number from which on this process sees everything that happens."""
    return _reader_start()


def look_again() -> None:
    """Have the next `catch_up` look whatever the time: this process has changed something."""
    _reader.is_due = True


def reset() -> None:
    """Forget what was seen; the next look is the first. For tests, which roll the journal back."""
    with _reader.lock:
        _reader.forget()
