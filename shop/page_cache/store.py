"""Finished pages in the memory of one process: so many bytes, filed under what they were read from.

Whoever misses a page boards a flight; the first to board makes the page, the others wait for it. A
page whose sources change while it is made is shown to those who wait, and not kept.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from shop.changes import EVERYTHING
from shop.page_cache.page import Key, Page

LONGEST_SECONDS = 600
"""What a page follows from without a source that says so, such as the date, is as old at most."""
PROVEN_SHARE = 0.8


@dataclass(slots=True)
class Flight:
    """A page under way, and what has changed since it is."""

    done: threading.Event = field(default_factory=threading.Event)
    changed: set[str] = field(default_factory=set)
    page: Page | None = None


@dataclass(slots=True)
class _Shelf:
    """Pages by how lately they were asked for."""

    pages: OrderedDict[Key, tuple[Page, float, int]] = field(default_factory=OrderedDict)
    bytes: int = 0

    def put(self, key: Key, entry: tuple[Page, float, int]) -> None:
        self.pages[key] = entry
        self.bytes += entry[2]

    def take(self, key: Key) -> tuple[Page, float, int] | None:
        entry = self.pages.pop(key, None)
        if entry is not None:
            self.bytes -= entry[2]
        return entry

    def take_oldest(self) -> tuple[Key, tuple[Page, float, int]]:
        key, entry = self.pages.popitem(last=False)
        self.bytes -= entry[2]
        return key, entry


class PageStore:
    """Keeps pages on two shelves: what was asked for twice does not give way to what was not.

    So a crawler that visits a million filters once takes no room from what people look at.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.lock = threading.Lock()
        self.new, self.proven = _Shelf(), _Shelf()
        self.filed: defaultdict[str, set[Key]] = defaultdict(set)
        self.flights: dict[Key, Flight] = {}

    def __len__(self) -> int:
        return len(self.new.pages) + len(self.proven.pages)

    @property
    def bytes(self) -> int:
        return self.new.bytes + self.proven.bytes

    def __contains__(self, key: Key) -> bool:
        return key in self.proven.pages or key in self.new.pages

    def get(self, key: Key) -> tuple[Page, bool] | None:
        """Return the page, and whether this is the second time that somebody asks for it."""
        with self.lock:
            if entry := self.proven.pages.get(key):
                self.proven.pages.move_to_end(key)
                is_second = False
            elif entry := self.new.take(key):
                self._prove(key, entry)
                is_second = True
            else:
                return None
            page, put_at, _size = entry
            if time.monotonic() - put_at > LONGEST_SECONDS:
                self._remove(key)
                return None
            return page, is_second

    def board(self, key: Key) -> tuple[Flight, bool]:
        """Return the flight to a page, and whether the caller is the one to make it."""
        with self.lock:
            if flight := self.flights.get(key):
                return flight, False
            flight = self.flights[key] = Flight()
            return flight, True

    def land(self, key: Key, flight: Flight, page: Page | None) -> None:
        """Hand the page to those who wait, and keep it unless its sources have changed since."""
        with self.lock:
            flight.page = page
            del self.flights[key]
            if page and not _is_concerned(page, flight.changed):
                self._put(key, page)
        flight.done.set()

    def drop(self, subjects: Iterable[str]) -> int:
        """Forget the pages that were read from something that has changed; return how many."""
        changed = set(subjects)
        with self.lock:
            for flight in self.flights.values():
                flight.changed |= changed
            if EVERYTHING in changed:
                count = len(self)
                self.new, self.proven = _Shelf(), _Shelf()
                self.filed.clear()
                return count
            keys = {key for subject in changed for key in self.filed.get(subject, ())}
            for key in keys:
                self._remove(key)
            return len(keys)

    def _put(self, key: Key, page: Page) -> None:
        size = page.count_bytes() + sum(map(len, key))
        if size * 8 > self.limit:
            return
        self._remove(key)
        self.new.put(key, (page, time.monotonic(), size))
        for source in page.sources:
            self.filed[source].add(key)
        while self.bytes > self.limit:
            shelf = self.new if self.new.pages else self.proven
            self._unfile(*_page_of(shelf.take_oldest()))

    def _prove(self, key: Key, entry: tuple[Page, float, int]) -> None:
        self.proven.put(key, entry)
        while self.proven.bytes > self.limit * PROVEN_SHARE:
            self.new.put(*self.proven.take_oldest())

    def _remove(self, key: Key) -> None:
        if entry := self.proven.take(key) or self.new.take(key):
            self._unfile(key, entry[0])

    def _unfile(self, key: Key, page: Page) -> None:
        for source in page.sources:
            filed = self.filed[source]
            filed.discard(key)
            if not filed:
                del self.filed[source]


def _page_of(item: tuple[Key, tuple[Page, float, int]]) -> tuple[Key, Page]:
    return item[0], item[1][0]


def _is_concerned(page: Page, changed: set[str]) -> bool:
    return EVERYTHING in changed or not page.sources.isdisjoint(changed)
