"""Values that a process keeps until the journal says that what they were read from has changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from shop import changes

T = TypeVar("T")


def until_changed(*subjects: str) -> Callable[[Callable[[], T]], Callable[[], T]]:
    """Keep what a function returns until one of these subjects changes.

    A value that was read while its subject changed is handed out, and read anew the next time.
    """
    concerned = {*subjects, changes.EVERYTHING}

    def decorate(read: Callable[[], T]) -> Callable[[], T]:
        age = 0
        kept: tuple[int, T] | None = None

        @changes.watch
        def forget(changed: frozenset[str], _xid: int) -> None:
            nonlocal age
            if not concerned.isdisjoint(changed):
                age += 1

        @wraps(read)
        def wrapper() -> T:
            nonlocal kept
            changes.catch_up()
            if (known := kept) and known[0] == age:
                return known[1]
            age_before = age
            value = read()
            kept = age_before, value
            return value

        return wrapper

    return decorate
