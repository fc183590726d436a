"""Tables emptied without TRUNCATE, which makes new files of every table and its indexes each time.

What a test leaves behind are a few rows in a few of a hundred tables: deleting them takes
milliseconds. Triggers and foreign keys sleep meanwhile, so the order of tables does not matter, and
the ledger lets go of its entries; only a superuser of PostgreSQL may do that, others truncate.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from django.db import connection
from django.test import TransactionTestCase

WRITTEN_BY_MIGRATE = {
    *("django_content_type", "auth_permission", "auth_group", "auth_group_permissions"),
}
MOST_BYTES_OF_DEAD_ROWS = 2_000_000
_BLOATED = """
SELECT name FROM unnest(%s::text[]) AS name WHERE pg_relation_size(name::regclass) > %s
"""

_REFERRING = """
SELECT DISTINCT conrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND confrelid = ANY(%s::regclass[])
"""


def list_with_referring(tables: Collection[str]) -> list[str]:
    """Return tables with whatever refers to them, however far, as TRUNCATE ... CASCADE takes them."""
    found: set[str] = set()
    new = set(tables)
    with connection.cursor() as cursor:
        while new:
            found |= new
            cursor.execute(_REFERRING, [sorted(found)])
            new = {row[0].strip('"') for row in cursor.fetchall()} - found
    return sorted(found)


def is_superuser() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on'")
        return bool(cursor.fetchone()[0])


def empty(tables: Collection[str]) -> None:
    """Delete every row of some tables, and of no others: what refers to them is to be named, too.

    Locks the tables first, as TRUNCATE does, so that no other process writes between two of them.
    """
    names = [connection.ops.quote_name(table) for table in sorted(tables)]
    with connection.cursor() as cursor:
        if not is_superuser():
            cursor.execute(f"TRUNCATE {', '.join(names)} CASCADE")
            return
        deletes = "".join(f"DELETE FROM {name}; " for name in names)
        cursor.execute(
            f"DO $$ BEGIN LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE; "
            "SET LOCAL session_replication_role = replica; "
            f"{deletes}SET LOCAL session_replication_role = origin; END $$"
        )
        # Nothing else sweeps up behind the tests, and dead rows are read again and again.
        cursor.execute(_BLOATED, [names, MOST_BYTES_OF_DEAD_ROWS])
        for (name,) in cursor.fetchall():
            cursor.execute(f"VACUUM {name}")


def empty_after_test(test: TransactionTestCase) -> None:
    """Do for a test that committed what Django's `flush` does, at a tenth of its cost.

    What `migrate` writes at its end, types of content, permissions and roles, is left instead of being
    written anew.
    """
    empty(_list_tables())


@cache
def _list_tables() -> tuple[str, ...]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return tuple(sorted(set(names) - WRITTEN_BY_MIGRATE))
