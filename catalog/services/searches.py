"""The record of what shoppers look for: counted in memory, written every few seconds.

A page from the cache is counted with each visit that it answers. What strangers make up by the
thousand is let go: so many different words are written for a day, and no more.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock, Timer

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from catalog.models import SearchRecord
from catalog.search.text import split_words
from shop.clock import now
from shop.transactions import own_transaction

logger = logging.getLogger(__name__)

SECONDS_BETWEEN = 10.0
MOST_WAITING = 1_000
LONGEST_WORDS = 100
MOST_ROWS_A_DAY = 20_000

_WRITE = """
INSERT INTO catalog_searchrecord (day, words, searches, products)
SELECT told.*
FROM unnest(%(days)s::date[], %(words)s::text[], %(searches)s::int[], %(products)s::int[])
    AS told(day, words, searches, products)
LEFT JOIN (
    SELECT day, count(*) AS words FROM catalog_searchrecord
    WHERE day = ANY(%(days)s::date[]) GROUP BY day
) AS written ON written.day = told.day
WHERE coalesce(written.words, 0) < %(most)s
   OR EXISTS (SELECT FROM catalog_searchrecord AS known
              WHERE known.day = told.day AND known.words = told.words)
ORDER BY told.day, told.words
ON CONFLICT (day, words) DO UPDATE
SET searches = catalog_searchrecord.searches + excluded.searches, products = excluded.products
"""


@dataclass(slots=True)
class _Tally:
    searches: int = 0
    products: int = 0


_lock = Lock()
_waiting: dict[tuple[date, str], _Tally] = {}
_timer: Timer | None = None


def note(typed: str, products: int) -> None:
    """Remember a search until it is written; more than a flood of them are let go."""
    words = " ".join(split_words(typed))[:LONGEST_WORDS].strip()
    key = (timezone.localtime(now()).date(), words)
    if not words:
        return
    with _lock:
        if len(_waiting) >= MOST_WAITING and key not in _waiting:
            return
        tally = _waiting.setdefault(key, _Tally())
        tally.searches += 1
        tally.products = products
        _write_soon()


@own_transaction
def write() -> int:
    """Write what is remembered; return how many rows that were. Lost when the database is away."""
    with _lock:
        taken = sorted(_waiting.items())
        _waiting.clear()
    if not taken:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "days": [day for (day, _words), _tally in taken],
                "words": [words for (_day, words), _tally in taken],
                "searches": [tally.searches for _key, tally in taken],
                "products": [tally.products for _key, tally in taken],
                "most": MOST_ROWS_A_DAY,
            },
        )
        return int(cursor.rowcount)


@own_transaction
def prune() -> int:
    """Forget searches of long ago; return how many rows went."""
    before = now() - timedelta(days=settings.RETENTION_SEARCH_DAYS)
    count, _by_model = SearchRecord.objects.filter(day__lt=before).delete()
    return count


def _write_soon() -> None:
    """Start the clock, unless it runs. The caller holds the lock.

    Inside a transaction, as in a test, a thread of its own would not see the same database.
    """
    global _timer
    if _timer is None and not connection.in_atomic_block:
        _timer = Timer(SECONDS_BETWEEN, _write_at_last)
        _timer.daemon = True
        _timer.start()


def _write_at_last() -> None:
    global _timer
    with _lock:
        _timer = None
    try:
        write()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Searches were not recorded: %s", error)
    finally:
        connection.close()
