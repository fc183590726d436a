"""What somebody typed, as words, and the ways in which products may say the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.search.synonyms import LONGEST_PHRASE, Phrase
from catalog.search.text import LONGEST_WORD, WORD, fold, join_neighbours, to_code

MOST_WORDS = 12
LONGEST_QUERY = 200
OTHERWISE_WRITTEN = 0.9
"""How much a word counts that is written as one, as two, or by another name."""

_CHAIN = re.compile(r"[^\W_]+(?:[-./_+#][^\W_]+){2,}")


@dataclass(frozen=True, slots=True)
class Way:
    """Words to look for in place of those from `first` to before `last`."""

    phrase: str
    first: int
    last: int
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """The words looked for, and those spans of them that were typed in one piece: "hav-mug-1"."""

    words: tuple[str, ...]
    chains: tuple[tuple[int, int], ...] = ()
    code: str = ""
    """All of it as a part number, SKU or barcode; "" when it cannot be one."""
    is_literal: bool = False
    """It stands in quotation marks: as it is, or not at all."""

    def with_words(self, changes: Mapping[int, str]) -> Question:
        """Return the question with other words in some places."""
        return Question(tuple(changes.get(n, word) for n, word in enumerate(self.words)))


def tidy(typed: str) -> str:
    """Cut what somebody typed to a length and a shape that can be shown and repeated."""
    return " ".join(typed[: LONGEST_QUERY * 4].replace("\x00", " ").split())[:LONGEST_QUERY].strip()


def read_question(typed: str) -> Question:
    """Read a tidy query. Only letters and digits count, so no operator can be in it."""
    folded = fold(typed)
    found = list(WORD.finditer(folded))[:MOST_WORDS]
    chains = []
    for chain in _CHAIN.finditer(folded):
        inside = [n for n, word in enumerate(found) if chain.start() <= word.start() < chain.end()]
        if inside:
            chains.append((inside[0], inside[-1] + 1))
    return Question(
        words=tuple(word.group()[:LONGEST_WORD] for word in found),
        chains=tuple(chains),
        code=to_code(typed),
        is_literal=len(typed) > 2 and typed[0] in '"“„' and typed[-1] in '"”“',
    )


def list_ways(
    question: Question, stems: Phrase, synonyms: Mapping[Phrase, Sequence[Phrase]]
) -> list[Way]:
    """List what to look for: each word itself, then what may stand for one or several of them.

    `stems` are those of the question's words; synonyms are known by theirs.
    """
    words = question.words
    ways = [Way(word, place, place + 1) for place, word in enumerate(words)]
    if question.is_literal:
        return ways
    ways += [
        Way(joined, place, place + 2, OTHERWISE_WRITTEN)
        for place, joined in enumerate(join_neighbours(list(words)))
    ]
    ways += [
        Way("".join(words[first:last])[:LONGEST_WORD], first, last, OTHERWISE_WRITTEN)
        for first, last in question.chains
    ]
    for first in range(len(words) if synonyms else 0):
        for last in range(first + 1, min(len(words), first + LONGEST_PHRASE) + 1):
            ways += [
                Way(" ".join(other), first, last, OTHERWISE_WRITTEN)
                for other in synonyms.get(stems[first:last], ())
            ]
    return ways
