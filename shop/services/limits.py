"""Counts tries against the limits of `shop.limits`, in PostgreSQL alone.

No cache takes part, so that one that goes, comes back or is emptied neither loses a count nor
doubles one. One statement counts a try at all its limits; it waits for no disk, the table being
unlogged. There is never a row for a person, only for a keyed hash, and never more than `MOST_ROWS`
after a sweep: every `SWEEP_EVERY`th count of a process sweeps a little, and a periodic task the rest.
"""

from __future__ import annotations

import itertools
import logging
import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, connection

from shop.clock import now
from shop.limits import ACTIONS, Limit, group_address, is_free, make_key
from shop.transactions import no_transaction, own_transaction

logger = logging.getLogger(__name__)

MOST_ROWS = 500_000
SWEEP_EVERY = 500
SWEEP_ROWS = 5_000
MOST_NEARBY = 20_000
WITHOUT_COUNTING_SECONDS = 30

_COUNT = """
INSERT INTO shop_tally AS tally (key, count, ends_at)
SELECT tried.key, tried.weight, %(now)s::timestamptz + tried.seconds * interval '1 second'
  FROM unnest(%(keys)s::text[], %(weights)s::int[], %(seconds)s::int[])
       AS tried (key, weight, seconds)
 ORDER BY tried.key
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN tally.ends_at <= %(now)s::timestamptz THEN excluded.count
               ELSE LEAST(tally.count + excluded.count, 1000000) END,
  ends_at = CASE WHEN tally.ends_at <= %(now)s::timestamptz THEN excluded.ends_at
                 ELSE tally.ends_at END
RETURNING key, count, ends_at
"""
_GIVE_BACK = """
UPDATE shop_tally AS tally SET count = GREATEST(tally.count - given.weight, 0)
  FROM (SELECT locked.key, back.weight
          FROM unnest(%(keys)s::text[], %(weights)s::int[]) AS back (key, weight)
          JOIN shop_tally AS locked USING (key)
         ORDER BY locked.key FOR UPDATE OF locked) AS given
 WHERE tally.key = given.key
"""
_SWEEP = """
DELETE FROM {table} WHERE key IN (
  SELECT key FROM {table} WHERE ends_at <= %(now)s::timestamptz
   ORDER BY ends_at FETCH FIRST {rows} ROWS ONLY FOR UPDATE SKIP LOCKED)
"""
_CUT = """
DELETE FROM {table} WHERE key IN (
  SELECT key FROM {table} ORDER BY {least_first} ends_at
   FETCH FIRST {rows} ROWS ONLY FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a try may go on; if not, for how many seconds. `taken` is what it was counted as."""

    is_allowed: bool
    retry_after: int = 0
    taken: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class _Nearby:
    """What this process counted of a key before it asked the table."""

    count: int
    ends_at: datetime


_nearby: dict[str, _Nearby] = {}
_nearby_lock = threading.Lock()
_counted = itertools.count(1)


@no_transaction
def count(action: str, *, address: str = "", weight: int = 1, **about: str) -> Verdict:
    """Count a try at each limit of an action that something is known for, and judge it.

    `address` is the visitor's, `about` names what else it is limited by (`order`, `email`, …).
    `weight` counts at the address alone. What is refused counts only where it is refused, so that
    nobody uses up another's tries from an address that has none left. While the table cannot be
    reached, what is guarded is refused and the rest let through.

    Not inside a transaction: its end would lose the count, and the row would be locked until then.
    """
    limits = list(_list_limits(action, address, about))
    moment = now()
    asked = [
        (key, limit, counts)
        for key, limit in limits
        if (counts := _count_nearby(key, limit, weight if limit.per == "address" else 1, moment))
    ]
    if not asked:
        return Verdict(is_allowed=True)
    try:
        found = _count_in_table(
            [(key, counts, limit.seconds) for key, limit, counts in asked], moment
        )
    except DatabaseError as error:
        logger.warning("%s cannot be counted: %s", action, type(error).__name__)
        if ACTIONS[action].is_guarded:
            return Verdict(is_allowed=False, retry_after=WITHOUT_COUNTING_SECONDS)
        return Verdict(is_allowed=True)
    full = {key: found[key][1] for key, limit, _counts in asked if found[key][0] > limit.most}
    taken = tuple((key, counts) for key, _limit, counts in asked if key not in full)
    if not full:
        return Verdict(is_allowed=True, taken=taken)
    _give_back(taken)
    reached = sorted({str(limit) for key, limit, _counts in asked if key in full})
    logger.warning("too many tries: %s %s", action, ", ".join(reached))
    wait = max(end - moment for end in full.values())
    return Verdict(is_allowed=False, retry_after=max(1, math.ceil(wait.total_seconds())))


@no_transaction
def forgive(verdict: Verdict) -> None:
    """Take a try back that turned out to be none, such as a secret link that is right."""
    _give_back(verdict.taken)


@own_transaction
def sweep(*, rows: int = SWEEP_ROWS) -> int:
    """Forget a batch of what has run out; return how many rows went."""
    with connection.cursor() as cursor:
        gone = 0
        for table in ("shop_tally", "shop_keptvalue"):
            cursor.execute(_SWEEP.format(table=table, rows=int(rows)), {"now": now()})
            gone += cursor.rowcount
    return gone


@own_transaction
def cut(*, most: int = MOST_ROWS) -> int:
    """Forget what is over the bound, least tried first; return how many rows went."""
    gone = 0
    with connection.cursor() as cursor:
        for table, least_first in (("shop_tally", "count,"), ("shop_keptvalue", "")):
            cursor.execute(f"SELECT count(*) FROM {table}")
            over = cursor.fetchone()[0] - most
            if over > 0:
                cursor.execute(_CUT.format(table=table, least_first=least_first, rows=int(over)))
                gone += cursor.rowcount
                logger.warning("%s was over its bound by %d rows", table, over)
    return gone


def forget_nearby() -> None:
    """Forget what this process counted by itself, between tests."""
    with _nearby_lock:
        _nearby.clear()


def _list_limits(action: str, address: str, about: dict[str, str]) -> Iterable[tuple[str, Limit]]:
    if is_free(address):
        return
    known = {**about, "shop": "shop", "address": group_address(address)}
    for limit in ACTIONS[action].limits:
        if value := known.get(limit.per):
            yield make_key(action, str(limit), value), limit


def _count_nearby(key: str, limit: Limit, weight: int, moment: datetime) -> int:
    """Count a try here while that is enough; else return what the table is to count."""
    if not limit.free:
        return weight
    with _nearby_lock:
        known = _nearby.get(key)
        if known is None or known.ends_at <= moment:
            if len(_nearby) >= MOST_NEARBY:
                _nearby.clear()
            known = _nearby[key] = _Nearby(0, moment + timedelta(seconds=limit.seconds))
        known.count += weight
        if known.count <= limit.free:
            return 0
        is_first = known.count - weight <= limit.free
        return known.count if is_first else weight


def _count_in_table(
    tries: list[tuple[str, int, int]], moment: datetime
) -> dict[str, tuple[int, datetime]]:
    keys, weights, seconds = (list(column) for column in zip(*tries, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT, {"now": moment, "keys": keys, "weights": weights, "seconds": seconds}
        )
        rows = cursor.fetchall()
    if next(_counted) % SWEEP_EVERY == 0:
        sweep()
    return {key: (counted, ends_at) for key, counted, ends_at in rows}


def _give_back(taken: Iterable[tuple[str, int]]) -> None:
    if taken := list(taken):
        keys, weights = (list(column) for column in zip(*taken, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, {"keys": keys, "weights": weights})
