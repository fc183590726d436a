"""The registry of invariants: recomputed truths that `check_invariants` compares with the rows.

Each app declares its own in `<app>/invariants.py`. An invariant is one or a few SQL statements that
return the rows which break it; ids I1 to I32 are explained in docs/invariants.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class Invariant:
    id: str
    title: str
    find_violations: Callable[[], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Violation:
    id: str
    title: str
    detail: str


_registry: dict[str, Invariant] = {}


def declare(id: str, title: str, *, sql: str) -> None:
    """Declare an invariant whose SQL selects one text per row that breaks it."""

    def find_violations() -> Iterator[str]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            for (detail,) in cursor.fetchall():
                yield str(detail)

    if id in _registry:
        raise ValueError(f"invariant {id} is declared twice")
    _registry[id] = Invariant(id, title, find_violations)


def list_invariants() -> list[Invariant]:
    return sorted(_registry.values(), key=lambda invariant: (len(invariant.id), invariant.id))


def find_violations() -> list[Violation]:
    """Check every declared invariant against the database."""
    return [
        violation for invariant in list_invariants() for violation in find_violations_of(invariant)
    ]


def find_violations_of(invariant: Invariant) -> list[Violation]:
    return [
        Violation(invariant.id, invariant.title, detail) for detail in invariant.find_violations()
    ]


declare(
    "I22",
    "no side effect waits for more than an hour after its time",
    sql="""
    SELECT task || ' ' || key FROM shop_outboxmessage
    WHERE done_at IS NULL AND dead_at IS NULL AND available_at < now() - interval '1 hour'
    """,
)
