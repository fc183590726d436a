"""Words as PostgreSQL's stemmer writes them, each asked for once per process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

from django.db import connection

from catalog.search.text import configuration

MOST_KEPT = 50_000
_ASK = """
SELECT phrase, phraseto_tsquery(%(configuration)s::regconfig, phrase)::text
FROM unnest(%(phrases)s::text[]) AS phrase
"""
_known: dict[tuple[str, str], str] = {}
_lock = Lock()


def to_keys(phrases: Iterable[str]) -> dict[str, str]:
    """Return each word or phrase as a query of PostgreSQL's; "" where it says nothing ("the").

    Takes only what `split_words` makes, joined by single spaces: no operator can be in it.
    """
    language = configuration()
    wanted = dict.fromkeys(phrases)
    missing = [phrase for phrase in wanted if (language, phrase) not in _known]
    asked = _ask(language, missing) if missing else {}
    return {
        phrase: asked[phrase] if phrase in asked else _known.get((language, phrase), "")
        for phrase in wanted
    }


def to_plain_key(word: str) -> str:
    """Return a query for a word as it is; a word holds no quote."""
    return f"'{word}'"


def to_prefix_key(words: Sequence[str]) -> str:
    """Return a query for words that follow each other, the last one known by its start alone."""
    return " <-> ".join(map(to_plain_key, words)) + ":*"


def _ask(language: str, phrases: Sequence[str]) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(_ASK, {"configuration": language, "phrases": list(phrases)})
        answers = dict(cursor.fetchall())
    with _lock:
        if len(_known) > MOST_KEPT:
            _known.clear()
        _known.update({(language, phrase): key for phrase, key in answers.items()})
    return answers
