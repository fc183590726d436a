"""Products as arrays, by product id: numbers to sort by, and what each product states.

Arrays lie in pages of 262,144 ids. Snapshots share the pages; whoever changes a product copies the
page it is on, while a page of a million products is gathered in a few steps.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from catalog.index.portable import write_bitmap

Ids = NDArray[np.uint32]
"""Product ids, each once, in ascending order."""
Numbers = NDArray[Any]

PAGE_BITS = 18
PAGE_SIZE = 1 << PAGE_BITS
FEW_IDS = 2_000


def to_ids(products: BitMap) -> Ids:
    """Return the products of a bitmap in ascending order."""
    return np.frombuffer(products.to_array(), dtype=np.uint32)


def to_bitmap(ids: Numbers) -> BitMap:
    """Return a bitmap of some products, in whatever order they come."""
    ids = np.ascontiguousarray(ids, dtype=np.uint32)
    if len(ids) <= FEW_IDS:
        return BitMap(array("I", ids.tobytes()))
    if not (ids[1:] > ids[:-1]).all():
        ids = np.unique(ids)
    return BitMap.deserialize(write_bitmap(ids))


def split(ids: Ids) -> Iterator[tuple[int, slice]]:
    """Name the pages that some products are on, and which of them are on each."""
    if not len(ids):
        return
    first, last = int(ids[0]) >> PAGE_BITS, int(ids[-1]) >> PAGE_BITS
    borders = (np.arange(first, last + 2) << PAGE_BITS).astype(np.uint32)
    edges = np.searchsorted(ids, borders).tolist()
    for number, (start, stop) in enumerate(pairwise(edges), start=first):
        if start < stop:
            yield number, slice(start, stop)


def rows_of(ids: Ids) -> NDArray[np.intp]:
    """Say where on their page some products lie."""
    return (ids & (PAGE_SIZE - 1)).astype(np.intp)


@dataclass(frozen=True, slots=True)
class Column:
    """One number per product; 0 where none was ever put."""

    kind: type[np.generic]
    pages: Mapping[int, Numbers] = field(default_factory=dict)

    def take(self, ids: Ids) -> Numbers:
        """Return the numbers of some products, in their order."""
        taken = np.zeros(len(ids), dtype=self.kind)
        for number, part in split(ids):
            page = self.pages.get(number)
            if page is not None:
                taken[part] = page.take(rows_of(ids[part]), mode="clip")
        return taken

    def put(self, ids: Ids, numbers: Numbers) -> Column:
        """Return the column with other numbers for some products; itself if nothing differs."""
        pages = dict(self.pages)
        is_changed = False
        for number, part in split(ids):
            page = pages.get(number)
            rows = rows_of(ids[part])
            if page is None:
                page = np.zeros(PAGE_SIZE, dtype=self.kind)
            elif np.array_equal(page[rows], numbers[part]):
                continue
            else:
                page = page.copy()
            page[rows] = numbers[part]
            pages[number] = page
            is_changed = True
        return Column(self.kind, pages) if is_changed else self


@dataclass(frozen=True, slots=True)
class _Page:
    """`numbers[starts[row]:starts[row + 1]]` is what the product in that row states."""

    starts: NDArray[np.int64]
    numbers: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Statements:
    """What each product states, as the numbers of values."""

    pages: Mapping[int, _Page] = field(default_factory=dict)

    def of(self, product: int) -> list[int]:
        """Return the numbers of the values that one product states."""
        page = self.pages.get(product >> PAGE_BITS)
        if page is None:
            return []
        row = product & (PAGE_SIZE - 1)
        stated: list[int] = page.numbers[page.starts[row] : page.starts[row + 1]].tolist()
        return stated

    def gather(self, ids: Ids) -> NDArray[np.uint32]:
        """Return all that some products state, once per product and value."""
        parts = []
        for number, part in split(ids):
            page = self.pages.get(number)
            if page is None:
                continue
            rows = rows_of(ids[part])
            starts = page.starts.take(rows)
            lengths = page.starts.take(rows + 1) - starts
            places = np.repeat(starts - lengths.cumsum() + lengths, lengths)
            places += np.arange(len(places))
            parts.append(page.numbers.take(places, mode="clip"))
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.uint32)

    def put(self, ids: Ids, products: Numbers, numbers: Numbers) -> Statements:
        """Return these statements with those of some products replaced by (product, value) pairs.

        The pairs may come in any order; products of `ids` without a pair state nothing any more.
        """
        pages = dict(self.pages)
        order = _sort_by(products)
        products, numbers = products[order], numbers[order].astype(np.uint32, copy=False)
        for number, part in split(ids):
            first = number << PAGE_BITS
            start, stop = np.searchsorted(products, (first, first + PAGE_SIZE)).tolist()
            new = _make_page(rows_of(products[start:stop]), numbers[start:stop])
            old = pages.get(number)
            pages[number] = _merge(old, rows_of(ids[part]), new) if old else new
        return Statements(pages)


def _sort_by(products: Numbers) -> NDArray[np.intp]:
    """Order pairs by product. Sixteen bits at a time are sorted by radix, in linear time."""
    low = np.argsort((products & 0xFFFF).astype(np.uint16), kind="stable")
    high = np.argsort((products[low] >> 16).astype(np.uint16), kind="stable")
    order: NDArray[np.intp] = low[high]
    return order


def _make_page(rows: Numbers, numbers: NDArray[np.uint32]) -> _Page:
    """Make a page of pairs in the order of their rows."""
    starts = np.zeros(PAGE_SIZE + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=PAGE_SIZE), out=starts[1:])
    return _Page(starts, numbers)


def _merge(old: _Page, replaced: NDArray[np.intp], new: _Page) -> _Page:
    """Return a page with some of its rows replaced by those of another."""
    lengths = np.diff(old.starts)
    lengths[replaced] = np.diff(new.starts)[replaced]
    starts = np.zeros(PAGE_SIZE + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    parts, kept_from = [], 0
    for row in replaced.tolist():
        parts += [
            old.numbers[kept_from : old.starts[row]],
            new.numbers[new.starts[row] : new.starts[row + 1]],
        ]
        kept_from = old.starts[row + 1]
    return _Page(starts, np.concatenate([*parts, old.numbers[kept_from:]]))
