"""The reading side of the journal of changes: what other processes changed reaches this one.

Transactions do not commit in the order of their numbers. So a reader keeps the snapshot of its last
look, and asks for what that snapshot could not see: each change is delivered once, whenever it was
committed, and the table is only read from the oldest transaction that was still open then.

A restored dump brings numbers along that this database has not reached: they are no news. Whoever
lived through the restoring finds another table, or numbers that go back, and reads everything anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from shop.transactions import is_in_transaction

logger = logging.getLogger(__name__)

EVERYTHING = "everything"
LONGEST_PAUSE_SECONDS = 3600
"""Who was away for longer may have missed what was pruned meanwhile."""
LONGEST_WAIT_SECONDS = 2.0
SECONDS_TO_RECOVER = 5.0
"""Reading everything anew is dear, so what failed once is not tried with every look."""
_LOOK = """
SELECT pg_current_snapshot()::text, 'shop_change'::regclass::oid,
       pg_current_xact_id_if_assigned()::text::bigint, change.id, change.subject, change.xid
FROM (SELECT 1) AS always
LEFT JOIN shop_change AS change
    ON change.xid >= coalesce(%(horizon)s::bigint,
                              pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
    AND (change.xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
         AND NOT pg_visible_in_snapshot(change.xid::text::xid8, %(seen)s::pg_snapshot)
         OR change.xid = pg_current_xact_id_if_assigned()::text::bigint)
"""

Follower = Callable[[frozenset[str]], Iterable[str]]
"""Takes subjects in, and names what else has changed with them (`category:7` for `product:5`)."""
Watcher = Callable[[frozenset[str], int], object]
"""Takes all subjects, and the highest number of the transactions they come from."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What PostgreSQL showed at one moment: every transaction below `xmin`, none from `xmax` on."""

    text: str

    @property
    def xmin(self) -> int:
        return int(self.text.split(":")[0])

    @property
    def xmax(self) -> int:
        return int(self.text.split(":")[1])


class _Reader:
    """What this process has seen of the journal. One thread looks, others go on meanwhile."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.looking_thread: int | None = None
        self.forget()

    def forget(self) -> None:
        self.snapshot: Snapshot | None = None
        self.table: int | None = None
        self.start = self.horizon = 0
        self.own_rows: set[int] = set()
        self.looked_at = self.succeeded_at = 0.0
        self.is_due = True
        self.has_lost_track = False
        self.recovers_at = 0.0

    def lose_track(self, *, until: float = 0.0) -> None:
        """Have `everything` told by the first look from that moment on."""
        self.has_lost_track, self.recovers_at = True, until

    def get_patience(self, now: float, interval: float) -> float:
        """Return for how many seconds to wait while another thread looks.

        A look that takes so long itself hangs on a database that does not answer.
        """
        is_fresh = now - self.succeeded_at < 2 * interval
        hangs = self.looked_at > self.succeeded_at and now - self.looked_at > LONGEST_WAIT_SECONDS
        return 0 if is_fresh or hangs else LONGEST_WAIT_SECONDS

    def has_moved(self, table: int, snapshot: Snapshot) -> bool:
        """Say whether this is not the database of the last look: it was restored since."""
        seen = self.snapshot
        return seen is not None and (table != self.table or snapshot.xmax < seen.xmax)

    def go_on(self) -> int:
        """Go on with what is known. Before the first look that is nothing, so it looks anew then."""
        if self.snapshot is None:
            self.lose_track()
        return 0


_reader = _Reader()
_followers: list[Follower] = []
_watchers: list[Watcher] = []


def subscribe(follower: Follower) -> Follower:
    """Have a function called with each batch of subjects, by whichever thread looks.

    It may be told a subject that it knows already, and `everything`, which means any. What it
    returns is told to the followers after it, and to the watchers. When it raises, `everything`
    follows some seconds later.
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

    Looks at most every `CHANGES_POLL_SECONDS`, and never inside a transaction: what is not
    committed yet must not become what the whole process knows. While another thread looks, this one
    goes on with what is known, unless that is too old. A database that is away changes nothing.
    """
    interval = settings.CHANGES_POLL_SECONDS
    now = time.monotonic()
    if not _reader.is_due and now - _reader.succeeded_at < interval:
        return 0
    if _reader.looking_thread == threading.get_ident() or is_in_transaction():
        return _reader.go_on()
    if not _reader.lock.acquire(timeout=_reader.get_patience(now, interval)):
        return _reader.go_on()
    try:
        _reader.looking_thread = threading.get_ident()
        if not _reader.is_due and now - _reader.looked_at < interval:
            return _reader.go_on()  # Somebody has looked meanwhile, or in vain a moment ago.
        return _look()
    finally:
        _reader.looking_thread = None
        _reader.lock.release()


def get_horizon() -> int:
    """Return the transaction number below which nothing is unknown here; 0 before the first look.

    What a look has brought is known once every follower and watcher has taken it in.
    """
    return _reader.horizon


def get_start() -> int:
    """Return the transaction number from which on this process was told of every change."""
    return _reader.start


def look_again() -> None:
    """Have the next `catch_up` look whatever the time: this process has changed something."""
    _reader.is_due = True


def reset() -> None:
    """Forget what was seen; the next look is the first. For tests, which roll the journal back."""
    with _reader.lock:
        _reader.forget()
    for watcher in _watchers:
        watcher(frozenset({EVERYTHING}), 0)


def _look() -> int:
    """Read what the last snapshot could not see and hand it on. The caller holds the lock."""
    began_at = time.monotonic()
    _reader.looked_at, _reader.is_due = began_at, False
    try:
        subjects, xid = _read(began_at)
    except (DatabaseError, InterfaceError) as error:
        if connection.in_atomic_block:
            raise
        logger.warning("The journal of changes cannot be read: %s", error)
        connection.close_if_unusable_or_obsolete()
        return _reader.go_on()
    if subjects:
        _hand_on(subjects, xid)
    if _reader.snapshot and not _reader.has_lost_track:
        _reader.horizon = _reader.snapshot.xmin
    _reader.succeeded_at = began_at
    return len(subjects)


def _read(now: float) -> tuple[frozenset[str], int]:
    """Return what is new, with the highest number of the transactions that wrote it."""
    seen = _reader.snapshot
    # Below Django's cursor: an ORM's worth of bookkeeping, twice a second, for an empty answer.
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(
            _LOOK, {"horizon": seen.xmin if seen else None, "seen": seen.text if seen else None}
        )
        rows = cursor.fetchall()
    text, table, own_xid, *_none = rows[0]
    snapshot = Snapshot(text)
    if _reader.has_moved(table, snapshot):
        _reader.snapshot = None
        _reader.lose_track()
    is_first = _reader.snapshot is None
    new = [] if is_first else [(row[4], row[5]) for row in rows if _is_new(row[3])]
    _remember_rows(snapshot, own_xid=own_xid, ids={row[3] for row in rows} - {None})
    if is_first:
        _reader.table, _reader.start = table, snapshot.xmax
    subjects = frozenset(subject for subject, _xid in new)
    was_away = not is_first and now - _reader.succeeded_at > LONGEST_PAUSE_SECONDS
    is_to_recover = _reader.has_lost_track and now >= _reader.recovers_at
    if is_to_recover or was_away:
        _reader.has_lost_track = False
        return subjects | {EVERYTHING}, snapshot.xmax - 1
    return subjects, max((xid for _subject, xid in new), default=0)


def _is_new(id: int | None) -> bool:
    return id is not None and id not in _reader.own_rows


def _remember_rows(snapshot: Snapshot, *, own_xid: int | None, ids: set[int]) -> None:
    """Go on from this snapshot.

    Inside a test's own transaction there is none to go on from, since it shows whatever else that
    transaction will write: the first one stays, and rows are told apart by their ids.
    """
    if own_xid is None or _reader.snapshot is None:
        _reader.snapshot = snapshot
    _reader.own_rows = set() if own_xid is None else _reader.own_rows | ids


def _hand_on(subjects: frozenset[str], xid: int) -> None:
    """Tell followers, then watchers.

    When a follower fails, nobody knows what has changed with the subjects: watchers are told
    `everything`, and so is everybody by a look some seconds later.
    """
    try:
        for follower in _followers:
            subjects |= frozenset(follower(subjects))
    except Exception:
        _reader.lose_track(until=time.monotonic() + SECONDS_TO_RECOVER)
        subjects = frozenset({EVERYTHING})
        if not settings.CHANGES_POLL_SECONDS:
            raise
        logger.exception("What has changed could not be taken in; all of it will be read anew.")
    finally:
        for watcher in _watchers:
            watcher(subjects, xid)
