"""Indexes and references of some tables, out of the way while very many rows are written.

PostgreSQL writes several times as fast without them, and builds them in one go afterwards. All of
it belongs to the caller's transaction: when that fails, nothing has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection

_CONSTRAINTS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
FROM pg_constraint
WHERE conrelid = ANY(%s::text[]::regclass[]) AND contype IN ('f', 'u')
ORDER BY contype DESC, conrelid, conname
"""
_INDEXES = """
SELECT index.indexrelid::regclass::text, pg_get_indexdef(index.indexrelid)
FROM pg_index AS index
WHERE index.indrelid = ANY(%s::text[]::regclass[])
  AND NOT EXISTS (
      SELECT FROM pg_constraint AS holder
      WHERE holder.conindid = index.indexrelid AND holder.contype IN ('p', 'u', 'x')
  )
ORDER BY index.indrelid, index.indexrelid
"""


@contextmanager
def set_aside(tables: Sequence[str], *, tell: Callable[[str], None]) -> Iterator[None]:
    """Drop what hangs on the tables except primary keys and checks; put it back at the end.

    Locks the tables against everybody else. Needs the rights of their owner.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # None of them may wait for its check.
        cursor.execute(_CONSTRAINTS, [list(tables)])
        constraints = cursor.fetchall()
        cursor.execute(_INDEXES, [list(tables)])
        indexes = cursor.fetchall()
        for table, name, _definition in reversed(constraints):
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")

        yield

        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name, definition in indexes:
            tell(f"Building index {name}")
            cursor.execute(definition)
        for table, name, definition in constraints:
            tell(f"Checking {name}")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
