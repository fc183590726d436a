"""Values of attributes get numbers, and products move between the bitmaps of values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from catalog.index.arrays import Numbers, to_bitmap
from catalog.index.snapshot import Snapshot, Value


def changed(products: BitMap, *, leave: Numbers, join: Numbers) -> BitMap:
    """Return a bitmap without some products and with others; itself if it already is like that."""
    result = (products - to_bitmap(leave)) | to_bitmap(join)
    return products if result == products else result


class Moves:
    """Which products leave and which join each of many bitmaps."""

    def __init__(self) -> None:
        self._leave: dict[int, list[int]] = {}
        self._join: dict[int, list[int]] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(self._leave.keys() | self._join.keys())

    def leave(self, key: int, product: int) -> None:
        self._leave.setdefault(key, []).append(product)

    def join(self, key: int, product: int) -> None:
        self._join.setdefault(key, []).append(product)

    def of(self, key: int, products: BitMap) -> BitMap:
        """Return what becomes of one of the bitmaps."""
        leave, join = (np.array(side.get(key, ()), np.uint32) for side in (self._leave, self._join))
        return changed(products, leave=leave, join=join)

    def apply(self, bitmaps: Mapping[int, BitMap]) -> dict[int, BitMap]:
        """Return all bitmaps as they become; one that nobody is in any more is left out."""
        result = dict(bitmaps)
        for key in self:
            result[key] = self.of(key, result.get(key) or BitMap())
            if not result[key]:
                del result[key]
        return result


class Numbering:
    """The numbers of values: those of a snapshot, and new ones behind them.

    A number is for ever: a value that nobody states any more keeps its own.
    """

    def __init__(self, snapshot: Snapshot, asked: Collection[int]) -> None:
        self._asked = to_bitmap(np.array(sorted(asked), np.uint32))
        self._values = snapshot.values
        self._own: dict[int, dict[str, Value]] = {}
        self._known = len(snapshot.facets)
        self._new_facets: list[str] = []
        self._attributes_of = snapshot.attributes_of
        self._new_attributes: list[int] = []
        self._facets = snapshot.facets

    @property
    def facets(self) -> Sequence[str]:
        return [*self._facets, *self._new_facets] if self._new_facets else self._facets

    @property
    def attributes_of(self) -> NDArray[np.int32]:
        if not self._new_attributes:
            return self._attributes_of
        return np.append(self._attributes_of, np.array(self._new_attributes, np.int32))

    def attribute_of(self, number: int) -> int:
        if number < self._known:
            return int(self._attributes_of[number])
        return self._new_attributes[number - self._known]

    def facet_of(self, number: int) -> str:
        if number < self._known:
            return self._facets[number]
        return self._new_facets[number - self._known]

    def find(self, attribute_id: int, facet: str, label: str) -> int:
        """Return the number of a value that some of the products state, a new one if need be.

        Of several labels the first by the alphabet counts, those of the others who state it too.
        """
        values = self._open(attribute_id)
        value = values.get(facet)
        if value is None:
            value = Value(self._known + len(self._new_facets), label, BitMap())
            self._new_facets.append(facet)
            self._new_attributes.append(attribute_id)
        elif value.products.issubset(self._asked):
            value = replace(value, label=label)
        else:
            value = replace(value, label=min(label, value.label))
        values[facet] = value
        return value.number

    def apply(self, moves: Moves) -> Mapping[int, Mapping[str, Value]]:
        """Return all values with the products that state them now."""
        for number in moves:
            values, facet = self._open(self.attribute_of(number)), self.facet_of(number)
            value = values[facet]
            values[facet] = replace(value, products=moves.of(number, value.products))
        return {**self._values, **self._own}

    def _open(self, attribute_id: int) -> dict[str, Value]:
        """Return the values of an attribute, as a copy of our own."""
        if attribute_id not in self._own:
            self._own[attribute_id] = dict(self._values.get(attribute_id, {}))
        return self._own[attribute_id]
