"""The catalogue's own words: what a misspelt one may have meant, what a begun one may become."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

from django.db import connection
from rapidfuzz import process
from rapidfuzz.distance import OSA

from catalog.search.text import split_words
from shop.remembered import until_changed

SHORTEST_WORD = 3
LONGEST_WORD = 30
LONG_WORD = 8
"""From so many letters on, two mistakes are forgiven."""
SHORTEST_PART = 3
MOST_CANDIDATES = 12
MUCH_COMMONER = 10


@dataclass(frozen=True)
class Vocabulary:
    """All words in alphabetical order, with how many products have each, roughly."""

    words: Sequence[str]
    products: Sequence[int]
    by_length: dict[int, list[str]]

    def __contains__(self, word: str) -> bool:
        return self._count(word) is not None

    def closest(self, word: str, *, most: int = MOST_CANDIDATES) -> list[str]:
        """Return what a word may have meant with as few mistakes as can be, the commonest first."""
        if len(word) < SHORTEST_WORD or len(word) > LONGEST_WORD or not word.isalpha():
            return []
        mistakes = 2 if len(word) >= LONG_WORD else 1
        near = [
            (distance, found)
            for length in range(len(word) - mistakes, len(word) + mistakes + 1)
            for found, distance, _place in process.extract(
                word,
                self.by_length.get(length, ()),
                scorer=OSA.distance,
                score_cutoff=mistakes,
                limit=most + 1,  # Itself may be the nearest.
            )
            if distance
        ]
        near.sort(key=lambda each: (each[0], each[1][0] != word[0], -(self._count(each[1]) or 0)))
        return [found for distance, found in near[:most] if distance == near[0][0]]

    def completions(self, start: str, *, most: int = MOST_CANDIDATES) -> list[str]:
        """Return the commonest words that begin like this; the word itself is none of them."""
        first, last = bisect_left(self.words, start), bisect_left(self.words, start + "\U0010ffff")
        places = (place for place in range(first, last) if self.words[place] != start)
        best = nsmallest(
            most, places, key=lambda at: (-self.products[at], len(self.words[at]), self.words[at])
        )
        return [self.words[place] for place in best]

    def split(self, word: str) -> list[str]:
        """Return the ways to read one word as two: "teacup" is "tea cup"."""
        return [
            f"{word[:place]} {word[place:]}"
            for place in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1)
            if word[:place] in self and word[place:] in self
        ]

    def is_commoner(self, word: str, than: str) -> bool:
        """Say whether so many more products have a word that the other one looks like a slip."""
        return (self._count(word) or 0) >= MUCH_COMMONER * max(1, self._count(than) or 0)

    def _count(self, word: str) -> int | None:
        place = bisect_left(self.words, word)
        if place < len(self.words) and self.words[place] == word:
            return self.products[place]
        return None


def is_word(text: str) -> bool:
    """Say whether a folded word belongs into the vocabulary: letters alone, neither 1 nor 100."""
    return text.isalpha() and SHORTEST_WORD <= len(text) <= LONGEST_WORD


def list_words(text: str) -> set[str]:
    """Return the words of a text that belong into the vocabulary."""
    return {word for word in split_words(text) if is_word(word)}


@until_changed("vocabulary")
def get_vocabulary() -> Vocabulary:
    """Return the words of the catalogue, as this process last read them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT word, products FROM catalog_word")
        rows: list[Any] = sorted(cursor.fetchall())
    by_length: dict[int, list[str]] = defaultdict(list)
    for word, _products in rows:
        by_length[len(word)].append(word)
    return Vocabulary([row[0] for row in rows], [row[1] for row in rows], dict(by_length))
