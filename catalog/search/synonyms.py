"""Words that mean the same in this shop, as staff keep them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db import connection

from catalog.search.stems import to_keys
from catalog.search.text import split_words
from shop.remembered import until_changed

MOST_MEANINGS = 20
LONGEST_PHRASE = 5

Phrase = tuple[str, ...]


@until_changed("synonyms")
def get_synonyms() -> Mapping[Phrase, Sequence[Phrase]]:
    """Return what else to look for, by the stems of the words of a phrase."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT words, means FROM catalog_synonym ORDER BY id")
        synonyms = read_synonyms(cursor.fetchall())
    stems = to_keys(word for phrase in synonyms for word in phrase)
    by_stems: dict[Phrase, dict[Phrase, None]] = defaultdict(dict)
    for phrase, others in synonyms.items():
        by_stems[tuple(stems[word] for word in phrase)].update(dict.fromkeys(others))
    return {phrase: list(others)[:MOST_MEANINGS] for phrase, others in by_stems.items()}


def read_synonyms(rows: Sequence[tuple[str, str]]) -> dict[Phrase, list[Phrase]]:
    """Read lines of words that mean the same, or, with a right side, that are also looked for."""
    meanings: dict[Phrase, dict[Phrase, None]] = defaultdict(dict)
    for words, means in rows:
        alike = read_phrases(words)
        others = read_phrases(means) if means.strip() else alike
        for phrase in alike:
            meanings[phrase].update(dict.fromkeys(other for other in others if other != phrase))
    return {phrase: list(others) for phrase, others in meanings.items() if others}


def read_phrases(text: str) -> list[Phrase]:
    """Read phrases between commas: ["tea", "towel"] and ["dishcloth"]."""
    phrases = [tuple(split_words(part)[:LONGEST_PHRASE]) for part in text.split(",")]
    return [phrase for phrase in dict.fromkeys(phrases) if phrase]
