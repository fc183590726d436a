"""The index of this process: built when first asked for, then kept current by the journal.

Threads read whatever snapshot they were given; only the next one is made under the lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import RLock

from catalog.index.snapshot import Snapshot
from catalog.index.stepping import News, Step, read_all
from shop import changes


class _Holder:
    """The newest snapshot. The lock is held by whoever makes the next one."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.snapshot: Snapshot | None = None


_holder = _Holder()


def current() -> Snapshot:
    """Return the catalogue as the journal says it is now; the first call reads all of it.

    What the journal tells meanwhile waits for the lock, and is applied to what was read.
    """
    changes.catch_up()
    snapshot = _holder.snapshot
    if snapshot is not None:
        return snapshot
    with _holder.lock:
        if _holder.snapshot is None:
            _holder.snapshot = read_all()
        return _holder.snapshot


def is_built() -> bool:
    """Say whether this process has read the catalogue."""
    return _holder.snapshot is not None


def reset() -> None:
    """Forget the index; for tests, which roll back what it was built from."""
    with _holder.lock:
        _holder.snapshot = None


@changes.subscribe
def follow(subjects: frozenset[str]) -> Iterable[str]:
    """Take in what changed; name what else has: `category:7`, `shelf:havre`, `catalogue`.

    Without an index nobody knows which categories a product is in, so everything may have changed.
    """
    news = News.pick(subjects)
    if not news:
        return ()
    with _holder.lock:
        if _holder.snapshot is None:
            return (changes.EVERYTHING,)
        step = Step(_holder.snapshot)
        step.take(news)
        _holder.snapshot = step.snapshot
        return step.subjects
