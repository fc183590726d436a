"""What a search has found, and in which order it is worth showing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import log

import numpy as np
from pyroaring import BitMap

from catalog.index.arrays import Ids, to_bitmap, to_ids
from catalog.search.postings import Posting, Scores

WORDS_MATTER = 2
"""How steeply a product falls behind that has not all of the words."""
SAME_STEM = 0.4
"""What a word counts where a product has not itself, but one of the same stem."""
ENOUGH_WORDS = 0.4
"""Share of the words, by their weight, that a product must have to come close."""

Liking = Callable[[Ids], Scores]
"""A factor around 1 for each product: what is in stock and sells well comes a little earlier."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One word of the query, with every posting that may stand for it, and how much it tells."""

    postings: Sequence[tuple[Posting, float]]
    products: BitMap
    weight: float
    form: Posting | None = None
    """The products that have the very word, and not just one of the same stem."""

    def marks_of(self, ids: Ids) -> Scores:
        marks = np.zeros(len(ids), np.float32)
        for posting, strength in self.postings:
            np.maximum(marks, posting.marks_of(ids) * np.float32(strength), out=marks)
        if self.form is not None:
            marks[self.form.marks_of(ids) == 0] *= np.float32(SAME_STEM)
        return marks


def make_slot(
    postings: Sequence[tuple[Posting, float]], *, within: BitMap, form: Posting | None = None
) -> Slot:
    """Weigh a word by how few products have it; one that all have still says a little."""
    said = [each for each in postings if len(each[0].ids)]
    products = (
        BitMap.union(*(posting.products for posting, _strength in said)) & within
        if said
        else BitMap()
    )
    with_it, all_products = len(products), len(within)
    weight = log(1 + (all_products + 1) / (with_it + 0.5))
    return Slot(said, products, weight, form if form and len(form.ids) else None)


@dataclass(frozen=True)
class Hits:
    """The products found; `nearby` are those that come close, when few have all of the words."""

    products: BitMap
    nearby: BitMap
    slots: Sequence[Slot] = ()
    pinned: Sequence[int] = ()
    """Products with exactly this SKU or barcode: they come first."""
    looked_for: str = ""
    """The words that were looked for in the end, when they are others than those typed."""
    question: str = ""
    """Other words that may have been meant, when what was typed finds next to nothing."""
    is_partial: bool = False
    """No product has all of the words; these have most of them."""

    def best(
        self, among: BitMap, start: int, stop: int, *, liking: Liking | None = None
    ) -> list[int]:
        """Return some ids in order of relevance; of equals the newer product comes first."""
        first = [id for id in self.pinned if id in among]
        rest = among - BitMap(first) if first else among
        if stop <= len(first):
            return first[start:stop]
        ids = to_ids(rest)
        scores = self._score(ids)
        if liking is not None and len(ids):
            scores *= liking(ids)
        most = stop - len(first)
        ordered = _order(ids, scores, most)
        return [*first, *(int(id) for id in ordered)][start:stop]

    def _score(self, ids: Ids) -> Scores:
        scores = np.zeros(len(ids), np.float32)
        present = np.zeros(len(ids), np.float32)
        whole = sum(slot.weight for slot in self.slots)
        for slot in self.slots:
            marks = slot.marks_of(ids)
            scores += marks * np.float32(slot.weight)
            if len(self.slots) > 1:
                present += (marks > 0) * np.float32(slot.weight)
        if len(self.slots) > 1 and whole:
            scores *= (present / np.float32(whole)) ** WORDS_MATTER
        return scores


def find_all(slots: Sequence[Slot]) -> BitMap:
    """Return the products that have every word."""
    if not slots:
        return BitMap()
    fewest_first = sorted((slot.products for slot in slots), key=len)
    return reduce(lambda found, products: found & products, fewest_first[1:], fewest_first[0])


def find_most(slots: Sequence[Slot]) -> BitMap:
    """Return the products that have most words; a word that no product has is not asked of any."""
    known = [slot for slot in slots if len(slot.products)]
    if not known:
        return BitMap()
    everybody = BitMap.union(*(slot.products for slot in known))
    ids = to_ids(everybody)
    present = np.zeros(len(ids), np.float32)
    for slot in known:
        own = to_ids(slot.products)
        present[np.searchsorted(ids, own)] += np.float32(slot.weight)
    enough = ENOUGH_WORDS * sum(slot.weight for slot in known)
    return to_bitmap(ids[present >= enough])


def _order(ids: Ids, scores: Scores, most: int) -> Ids:
    if len(ids) > 4 * most:
        least = np.partition(scores, len(scores) - most)[len(scores) - most]
        chosen = scores >= least
        ids, scores = ids[chosen], scores[chosen]
    return ids[np.lexsort((-ids.astype(np.int64), -scores))][:most]
