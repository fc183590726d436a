"""An erasure while it runs: who it is about, what stands in the way, what became of what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from accounts.person import Person


@dataclass(slots=True)
class ErasureRun:
    """`obstacles` are sentences for the person; `rows` counts by table what was touched or kept.

    Receivers lock what they look at, unless it is only looked at (`locks`).
    """

    person: Person
    locks: bool = True
    obstacles: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)

    def count(self, model: str, rows: int) -> None:
        if rows:
            self.rows[model] += rows
