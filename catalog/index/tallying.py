"""How many of some products state each value. All numbers are exact.

Few products are looked at one by one: what each states is added up, whatever there is to state. Of
many products the attributes worth showing are estimated from a sample, and then the bitmaps of
their values are intersected.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from heapq import nlargest

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from catalog.index.arrays import to_ids
from catalog.index.narrowing import AVAILABLE, RATED, Narrowed, Narrowing
from catalog.index.snapshot import RATINGS, Snapshot, Value

MANY_PRODUCTS = 25_000
SAMPLE = 4_000
MOST_ATTRIBUTES = 15
LEAST_COVERAGE = 20
"""An attribute is shown when at least one in this many products states it."""
MOST_OPTIONS = 20
MOST_INTERSECTED = 100
"""Of an attribute with more values than this, those are counted that a sample has most of."""
CANDIDATES = 3 * MOST_OPTIONS

Counts = dict[int, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many products there are, and how many behind each facet; a value of none is left out."""

    total: int
    counts: Mapping[int, Mapping[str, int]]
    available: int
    rated: Mapping[int, int]


def tally(
    snapshot: Snapshot, narrowed: Narrowed, narrowing: Narrowing, *, shown: Collection[int] = ()
) -> Tally:
    """Count behind each facet what passes every filter but its own.

    Shown are the attributes in use, and those that enough of the products found state; of each
    value only the most frequent, and those in use. `shown` are attributes to count in any case.
    """
    found = narrowed.found
    used = {attribute_id: frozenset(facets) for attribute_id, facets in narrowing.values}
    counts = _count(snapshot, found, always=shown)
    for attribute_id, facets in used.items():
        counts[attribute_id] = _count_one(
            snapshot, narrowed.but(attribute_id), attribute_id, chosen=facets
        )
    in_stock = narrowed.but(AVAILABLE)
    rated = narrowed.but(RATED)
    return Tally(
        total=len(found),
        counts={
            attribute_id: _most(found_counts, keep=used.get(attribute_id, frozenset()))
            for attribute_id, found_counts in counts.items()
            if found_counts
        },
        available=in_stock.intersection_cardinality(snapshot.available),
        rated={stars: rated.intersection_cardinality(snapshot.rated[stars]) for stars in RATINGS},
    )


def _most(counts: Mapping[str, int], *, keep: Collection[str]) -> dict[str, int]:
    """Return the most frequent values, and those to keep."""
    if len(counts) <= MOST_OPTIONS:
        return dict(counts)
    ranked = sorted(counts, key=lambda facet: (facet not in keep, -counts[facet], facet))
    return {facet: counts[facet] for facet in ranked[: max(MOST_OPTIONS, len(keep))]}


def _count(snapshot: Snapshot, found: BitMap, *, always: Collection[int]) -> Counts:
    ids = to_ids(found)
    if len(ids) <= MANY_PRODUCTS:
        counted = np.bincount(snapshot.stated.gather(ids), minlength=len(snapshot.facets))
        attributes = _choose(snapshot, counted, len(ids), always=always)
        return _by_attribute(snapshot, counted, attributes)
    sample = ids[:: -(-len(ids) // SAMPLE)]
    sampled = np.bincount(snapshot.stated.gather(sample), minlength=len(snapshot.facets))
    return {
        attribute_id: _intersect(snapshot, found, attribute_id, sampled)
        for attribute_id in _choose(snapshot, sampled, len(sample), always=always)
    }


def _choose(
    snapshot: Snapshot, counted: NDArray[np.int64], total: int, *, always: Collection[int]
) -> list[int]:
    """Name the attributes that enough products state, those stated most first."""
    present = np.flatnonzero(counted)
    coverage = np.bincount(snapshot.attributes_of[present], weights=counted[present])
    enough = [
        (int(coverage[attribute_id]), -place, attribute_id)
        for place, attribute_id in enumerate(snapshot.attributes)
        if attribute_id < len(coverage)
        and coverage[attribute_id]
        and coverage[attribute_id] * LEAST_COVERAGE >= total
    ]
    best = [attribute_id for _count, _place, attribute_id in nlargest(MOST_ATTRIBUTES, enough)]
    return [*best, *(set(always) - set(best))]


def _by_attribute(
    snapshot: Snapshot, counted: NDArray[np.int64], attribute_ids: Collection[int]
) -> Counts:
    counts: Counts = {attribute_id: {} for attribute_id in attribute_ids}
    present = np.flatnonzero(counted)
    present = present[np.isin(snapshot.attributes_of[present], list(attribute_ids))]
    owners = snapshot.attributes_of[present].tolist()
    for number, owner, many in zip(
        present.tolist(), owners, counted[present].tolist(), strict=True
    ):
        counts[owner][snapshot.facets[number]] = many
    return counts


def _count_one(
    snapshot: Snapshot, products: BitMap, attribute_id: int, *, chosen: Collection[str]
) -> dict[str, int]:
    """Count one attribute's values, all of them unless they are very many."""
    if len(snapshot.values.get(attribute_id, {})) <= MOST_INTERSECTED:
        return _intersect(snapshot, products, attribute_id, None)
    ids = to_ids(products)
    if len(ids) <= MANY_PRODUCTS:
        counted = np.bincount(snapshot.stated.gather(ids), minlength=len(snapshot.facets))
        return _by_attribute(snapshot, counted, [attribute_id])[attribute_id]
    sample = ids[:: -(-len(ids) // SAMPLE)]
    sampled = np.bincount(snapshot.stated.gather(sample), minlength=len(snapshot.facets))
    return _intersect(snapshot, products, attribute_id, sampled, chosen=chosen)


def _intersect(
    snapshot: Snapshot, products: BitMap, attribute_id: int, sampled: NDArray[np.int64] | None,
    *, chosen: Collection[str] = (),
) -> dict[str, int]:  # fmt: skip
    values: Mapping[str, Value] = snapshot.values.get(attribute_id, {})
    facets: Collection[str] = values
    if sampled is not None and len(values) > MOST_INTERSECTED:
        numbers = {facet: int(sampled[value.number]) for facet, value in values.items()}
        facets = {*nlargest(CANDIDATES, numbers, key=numbers.__getitem__), *chosen}
    counts = {
        facet: products.intersection_cardinality(values[facet].products)
        for facet in facets
        if facet in values
    }
    return {facet: many for facet, many in counts.items() if many}
