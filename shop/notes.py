"""What a page tells of how it was made: what it was read from, and what each visit counts as.

Both are noted while a view runs, by whoever reads or counts; a page that is kept is dropped when
something it was read from changes, and counts again with each visit that it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

Plain = str | int
Visit = tuple[str, tuple[Plain, ...]]
Counter = Callable[..., None]


@dataclass(slots=True)
class Notes:
    """What was noted during one view."""

    sources: set[str] = field(default_factory=set)
    visits: list[Visit] = field(default_factory=list)


_notes: ContextVar[Notes | None] = ContextVar("notes", default=None)
_counters: dict[str, Counter] = {}


@contextmanager
def noting() -> Iterator[Notes]:
    """Collect what is noted meanwhile."""
    notes = Notes()
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def read_from(*subjects: str) -> None:
    """Note what the page shows, by the subjects of the journal (`product:5`, `category:7`)."""
    if notes := _notes.get():
        notes.sources.update(subjects)


def register(name: str, counter: Counter) -> None:
    """Say which function counts the visits of a kind."""
    _counters[name] = counter


def count(name: str, *facts: Plain) -> None:
    """Count a visit: now, and whenever the page that is being made is shown again."""
    if notes := _notes.get():
        notes.visits.append((name, facts))
    repeat([(name, facts)])


def repeat(visits: Iterable[Visit]) -> None:
    """Count visits that a kept page was noted with."""
    for name, facts in visits:
        if counter := _counters.get(name):
            counter(*facts)
