"""A page of products in an order, without sorting what lies on other pages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from catalog.index.arrays import Column, Numbers, to_ids
from catalog.index.snapshot import Keys, Snapshot

NEWEST, PRICE, PRICE_DOWN, RATED, BEST = "newest", "price", "-price", "rated", "best"
FEW_PRODUCTS = 2_000


def list_page(snapshot: Snapshot, products: BitMap, order: str, start: int, stop: int) -> list[int]:
    """Return the products at some places of an order; of equals the younger one comes first.

    By price from the lowest, the older one does, so that both directions mirror each other.
    """
    ids = to_ids(products)
    numbers = _column(snapshot.keys, order).take(ids)
    if order != PRICE:
        ids, numbers = ids[::-1], -numbers[::-1]
    page: list[int] = ids[_places(numbers, start, min(stop, len(ids)))].tolist()
    return page


def _column(keys: Keys, order: str) -> Column:
    return {
        NEWEST: keys.published,
        PRICE: keys.price,
        PRICE_DOWN: keys.price,
        RATED: keys.rated,
        BEST: keys.popularity,
    }[order]


def _places(numbers: Numbers, start: int, stop: int) -> NDArray[np.intp]:
    """Say where the numbers lie that a stable sort would bring to `start` until `stop`."""
    if start >= stop:
        return np.empty(0, dtype=np.intp)
    if len(numbers) <= FEW_PRODUCTS:
        return np.argsort(numbers, kind="stable")[start:stop]
    # One place at a time: for two NumPy takes a slower way.
    low = np.partition(numbers, start)[start] if start else numbers.min()
    high = np.partition(numbers, stop - 1)[stop - 1]
    skipped = start - int(np.count_nonzero(numbers < low))
    lowest = np.flatnonzero(numbers == low)[skipped:]
    if low == high:
        return lowest[: stop - start]
    between = np.flatnonzero((numbers > low) & (numbers < high))
    between = between[np.argsort(numbers[between], kind="stable")]
    highest = np.flatnonzero(numbers == high)
    return np.concatenate([lowest, between, highest])[: stop - start]
