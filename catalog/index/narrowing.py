"""Which products pass the filters, all of them or all but one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from pyroaring import BitMap

from catalog.index.arrays import to_bitmap, to_ids
from catalog.index.snapshot import PRICE_DIGITS, Snapshot

PRICE = -1
AVAILABLE = -2
RATED = -3
"""Stand for filters that are no attribute, where others have the id of one."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What products must be like: one of several values of an attribute, and all else at once.

    `values` has attribute ids with facets. Amounts are in ten-thousandths, both included.
    """

    values: tuple[tuple[int, tuple[str, ...]], ...] = ()
    lowest: int | None = None
    highest: int | None = None
    is_available: bool = False
    stars: int = 0

    def attribute_ids(self) -> frozenset[int]:
        return frozenset(attribute_id for attribute_id, _facets in self.values)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What passes all filters, and for each filter what passes all the others."""

    found: BitMap
    without: Mapping[int, BitMap]

    def but(self, filter_id: int) -> BitMap:
        """Return what a filter's own options are counted in."""
        return self.without.get(filter_id, self.found)


def to_price(amount: Decimal | None) -> int | None:
    """Return an amount as the index has prices; None stays None."""
    return None if amount is None else int(amount.scaleb(PRICE_DIGITS))


def narrow(snapshot: Snapshot, base: BitMap, narrowing: Narrowing) -> Narrowed:
    """Take from some products those that pass."""
    passing = _list_passing(snapshot, base, narrowing)
    before = [base]
    for products in passing.values():
        before.append(before[-1] & products)
    without: dict[int, BitMap] = {}
    behind: BitMap | None = None
    for place, (filter_id, products) in reversed(list(enumerate(passing.items()))):
        without[filter_id] = before[place] if behind is None else before[place] & behind
        behind = products if behind is None else products & behind
    return Narrowed(before[-1], without)


def _list_passing(snapshot: Snapshot, base: BitMap, narrowing: Narrowing) -> dict[int, BitMap]:
    passing: dict[int, BitMap] = {}
    for attribute_id, facets in narrowing.values:
        values = [snapshot.products_of(attribute_id, facet) for facet in facets]
        passing[attribute_id] = BitMap.union(*values)
    if narrowing.is_available:
        passing[AVAILABLE] = snapshot.available
    if narrowing.stars:
        passing[RATED] = snapshot.rated[narrowing.stars]
    if narrowing.lowest is not None or narrowing.highest is not None:
        passing[PRICE] = _list_priced(snapshot, base, narrowing)
    return passing


def _list_priced(snapshot: Snapshot, base: BitMap, narrowing: Narrowing) -> BitMap:
    ids = to_ids(base)
    prices = snapshot.keys.price.take(ids)
    if narrowing.lowest is not None:
        fits = prices >= narrowing.lowest
        ids, prices = ids[fits], prices[fits]
    if narrowing.highest is not None:
        ids = ids[prices <= narrowing.highest]
    return to_bitmap(ids)
