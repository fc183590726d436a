"""Addresses that changed: the old one keeps leading to what it led to."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from shop.models import FormerAddress
from shop.transactions import inside_transaction

Move = tuple[int, str, str]
"""What moved, by its id, from which path to which."""

_REMEMBER = """
INSERT INTO shop_formeraddress (kind, path, target_id)
SELECT %(kind)s, path, target_id
FROM unnest(%(paths)s::text[], %(targets)s::bigint[]) AS moved(path, target_id)
ON CONFLICT (kind, path) DO UPDATE SET target_id = excluded.target_id, created_at = now()
"""
_TAKE_BACK = """
DELETE FROM shop_formeraddress AS former
USING unnest(%(paths)s::text[], %(targets)s::bigint[]) AS moved(path, target_id)
WHERE former.kind = %(kind)s AND former.path = moved.path AND former.target_id = moved.target_id
"""


@inside_transaction
def remember(kind: FormerAddress.Kind, moves: Sequence[Move]) -> None:
    """Have old paths lead on to what moved. Whoever had a path last is where it leads.

    A path that its owner takes back is no former one any more. What never had a path, or keeps it,
    is passed over.
    """
    moved = [move for move in moves if move[1] and move[1] != move[2]]
    if not moved:
        return
    ids = [target_id for target_id, _old, _new in moved]
    with connection.cursor() as cursor:
        old_paths = [old for _id, old, _new in moved]
        cursor.execute(_REMEMBER, {"kind": kind.value, "paths": old_paths, "targets": ids})
        new_paths = [new for _id, _old, new in moved]
        cursor.execute(_TAKE_BACK, {"kind": kind.value, "paths": new_paths, "targets": ids})
