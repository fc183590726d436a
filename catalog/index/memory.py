"""What was worked out from a snapshot and holds until something it was made of changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from threading import Lock
from typing import Any, TypeVar, cast

MOST_RESULTS = 400

Result = TypeVar("Result")
Key = tuple[str, Hashable]
"""The subject that a result hangs on (`category:7`, `catalogue`), then what it is."""


class Memory:
    """Results by subject and question, the least used forgotten first."""

    def __init__(self, results: OrderedDict[Key, Any] | None = None) -> None:
        self._results = results if results is not None else OrderedDict()
        self._lock = Lock()

    def recall(self, subject: str, question: Hashable, work_out: Callable[[], Result]) -> Result:
        """Return what is known, or work it out. Without a subject nothing is kept."""
        if not subject:
            return work_out()
        key = (subject, question)
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return cast(Result, self._results[key])
        result = work_out()
        with self._lock:
            self._results[key] = result
            while len(self._results) > MOST_RESULTS:
                self._results.popitem(last=False)
        return result

    def without(self, subjects: Collection[str]) -> Memory:
        """Return the memory of the next snapshot, in which these subjects have changed.

        A copy: a thread that still works with the old snapshot must not write into the new one's.
        """
        with self._lock:
            kept = [
                (key, result) for key, result in self._results.items() if key[0] not in subjects
            ]
        return Memory(OrderedDict(kept))
