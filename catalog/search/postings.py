"""Which products have a word, and how much it says about each: read once, kept in memory.

The search column in PostgreSQL is the truth. What a process has read of it follows the journal: a
posting that is asked for again first takes in the products whose words have changed since.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from pyroaring import BitMap

from catalog.index.arrays import Ids, to_bitmap
from shop import changes

Scores = NDArray[np.float32]

MOST_BYTES = 96 * 2**20
MOST_MARKED = 100_000
"""A word that more products have says little about each: all get one mark, for a tenth of the time."""
FLAT_MARK = np.float32(0.5)
MOST_CHANGES = 2_000
"""A posting that has missed more is read anew."""
WEIGHTS = "{0.5, 0.2, 0.2, 1}"
"""Of the sections D (description), C (attributes), B (maker, category, tags, codes), A (title)."""
FULL_MARK = 1.6449341
"""What `ts_rank` divides single words by; times this, one that stands in the title counts 1."""
USUAL_TITLE = 60.0
"""Letters of a title that neither gains nor loses by its length."""
LENGTH_MATTERS = 0.3
SATURATION = 1.2

_LIST = """
SELECT string_agg(int4send(id::int), ''::bytea)
FROM catalog_product, CAST(%(key)s AS tsquery) AS asked
WHERE search @@ asked
"""
# Each use of the search column unpacks it anew, so a title is as long as its letters say. Bytes in
# the order in which rows come are cheaper than sorted ones.
_READ = """
SELECT string_agg(int4send(id::int), ''::bytea),
       string_agg(float4send(ts_rank('{weights}', search, asked)), ''::bytea),
       string_agg(int4send(length(title)), ''::bytea)
FROM catalog_product, CAST(%(key)s AS tsquery) AS asked
WHERE search @@ asked {of_those}
"""


@dataclass(frozen=True, slots=True)
class Posting:
    """The products that a word stands in, by id, and a mark between 0 and about 1.5 for each."""

    ids: Ids
    marks: Scores
    products: BitMap
    seen: int
    """How many changes of words the journal had told when this was read."""

    @property
    def bytes(self) -> int:
        return 200 + self.ids.nbytes * 3

    def marks_of(self, wanted: Ids) -> Scores:
        """Return the mark of each product, 0 where the word does not stand; ids ascend."""
        if not len(wanted) or not len(self.ids):
            return np.zeros(len(wanted), np.float32)
        if min(len(wanted), len(self.ids)) < 4_000:
            places = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
            return np.where(self.ids[places] == wanted, self.marks[places], np.float32(0))
        table = np.zeros(int(max(wanted[-1], self.ids[-1])) + 1, np.float32)
        table[self.ids] = self.marks
        return table[wanted]


class _Shelf:
    """The postings of this process, those used last kept longest, and the changes they must see."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.kept: OrderedDict[str, Posting] = OrderedDict()
        self.bytes = 0
        self.changed: list[int] = []
        self.forgotten = 0

    def clear(self) -> None:
        """Forget all; what is being read meanwhile counts as older than any change."""
        after = self.seen + 1
        self.changed.clear()
        self.forgotten = after
        self.kept.clear()
        self.bytes = 0

    @property
    def seen(self) -> int:
        return self.forgotten + len(self.changed)

    def changed_since(self, seen: int) -> frozenset[int] | None:
        """Return whose words have changed; None when that is no longer known, or too much."""
        with self.lock:
            start = seen - self.forgotten
            if start < 0 or len(self.changed) - start > MOST_CHANGES:
                return None
            return frozenset(self.changed[start:])

    def put(self, key: str, posting: Posting) -> None:
        with self.lock:
            before = self.kept.pop(key, None)
            self.bytes += posting.bytes - (before.bytes if before else 0)
            self.kept[key] = posting
            while self.bytes > MOST_BYTES and len(self.kept) > 1:
                _key, oldest = self.kept.popitem(last=False)
                self.bytes -= oldest.bytes

    def take(self, key: str) -> Posting | None:
        with self.lock:
            posting = self.kept.get(key)
            if posting is not None:
                self.kept.move_to_end(key)
            return posting


_shelf = _Shelf()
_readers = [Lock() for _number in range(64)]


@changes.watch
def _hear(subjects: frozenset[str], _xid: int) -> None:
    if changes.EVERYTHING in subjects:
        with _shelf.lock:
            _shelf.clear()
        return
    ids = [
        int(subject.removeprefix("words:")) for subject in subjects if subject.startswith("words:")
    ]
    with _shelf.lock:
        _shelf.changed += ids
        if surplus := max(0, len(_shelf.changed) - 4 * MOST_CHANGES):
            del _shelf.changed[:surplus]
            _shelf.forgotten += surplus


def get_postings(keys: Iterable[str]) -> dict[str, Posting]:
    """Return the posting of each query key; what is not known yet is read, a statement for each.

    So a common word of a large catalogue, which takes seconds, is kept even if the next one runs
    into the statement timeout.
    """
    return {key: _up_to_date(key) or _read_first(key) for key in dict.fromkeys(keys)}


def _read_first(key: str) -> Posting:
    """Read a posting that is not kept; whoever wants the same one meanwhile waits for it."""
    with _readers[hash(key) % len(_readers)]:
        posting = _up_to_date(key)
        if posting is None:
            posting = _list_all(key) or _read(key)
            _shelf.put(key, posting)
        return posting


def _list_all(key: str) -> Posting | None:
    """Return the posting of a word that very many products have, None of anything else.

    Words beside each other cannot be told without unpacking the column, so they are not tried.
    """
    if "<" in key:
        return None
    seen = _shelf.seen  # Before the statement: what changes from now on is taken in later.
    with connection.cursor() as cursor:
        cursor.execute(_LIST, {"key": key})
        (found,) = cursor.fetchone()
    ids = np.sort(np.frombuffer(found or b"", ">i4").astype(np.uint32))
    if len(ids) <= MOST_MARKED:
        return None
    return Posting(ids, np.full(len(ids), FLAT_MARK), to_bitmap(ids), seen)


def _up_to_date(key: str) -> Posting | None:
    """Return a kept posting after it has taken in what changed meanwhile."""
    posting = _shelf.take(key)
    if posting is None or posting.seen == _shelf.seen:
        return posting
    changed = _shelf.changed_since(posting.seen)
    if changed is None:
        return None
    if changed:
        now = _read(key, among=changed)
        if len(posting.ids) > MOST_MARKED:
            now = replace(now, marks=np.full(len(now.ids), FLAT_MARK))
        is_other = ~np.isin(posting.ids, np.fromiter(changed, np.uint32, len(changed)))
        ids = np.concatenate([posting.ids[is_other], now.ids])
        marks = np.concatenate([posting.marks[is_other], now.marks])
        order = np.argsort(ids)
        posting = Posting(ids[order], marks[order], to_bitmap(ids[order]), now.seen)
        _shelf.put(key, posting)
    return posting


def _read(key: str, *, among: Collection[int] = ()) -> Posting:
    seen = _shelf.seen  # Before the statement: what changes from now on is taken in later.
    of_those = "AND id = ANY(%(among)s)" if among else ""
    with connection.cursor() as cursor:
        cursor.execute(
            _READ.format(weights=WEIGHTS, of_those=of_those), {"key": key, "among": list(among)}
        )
        found: tuple[bytes | None, ...] = cursor.fetchone()
    ids, ranks, titles = (part or b"" for part in found)
    return _make(ids, ranks, titles, full_mark=1 if "<" in key else FULL_MARK, seen=seen)


def _make(ids: bytes, ranks: bytes, titles: bytes, *, full_mark: float, seen: int) -> Posting:
    numbers = np.frombuffer(ids, ">i4").astype(np.uint32)
    lengths = np.frombuffer(titles, ">i4").astype(np.float32)
    said = np.frombuffer(ranks, ">f4").astype(np.float32) * np.float32(full_mark)
    said /= 1 - LENGTH_MATTERS + LENGTH_MATTERS * lengths / USUAL_TITLE
    marks = said * (1 + SATURATION) / (said + SATURATION)
    order = np.argsort(numbers)
    return Posting(numbers[order], marks[order].astype(np.float32), to_bitmap(numbers), seen)
