"""What variants cost before. The database writes it down by itself; here it is forgotten."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from shop.clock import now
from shop.transactions import own_transaction

KEPT = timedelta(days=90)
MOST_ROWS = 50_000
"""Deleted at once; the next run goes on."""

# However old, what a reduction of today is measured by stays: the last change, and the 30 days
# before it.
_PRUNE = f"""
DELETE FROM catalog_formerprice WHERE id IN (
    SELECT former.id FROM catalog_formerprice former
    WHERE former.ended_at < %(until)s AND former.ended_at < (
        SELECT max(last.ended_at) - interval '30 days'
        FROM catalog_formerprice last WHERE last.variant_id = former.variant_id
    )
    LIMIT {MOST_ROWS:d}
)
"""


@own_transaction
def prune() -> int:
    """Forget prices that no page speaks of any more; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, {"until": now() - KEPT})
        return int(cursor.rowcount)
