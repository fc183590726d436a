"""What the search index and a search query must agree on: the folding of text, and the stemmer."""

from __future__ import annotations

import re
import unicodedata

from django.conf import settings

CONFIGURATIONS = {"en": "english", "de": "german"}
MOST_WORDS = 12
LONGEST_WORD = 60

_WORD = re.compile(r"\w+")


def fold(text: str) -> str:
    """Lower the case and strip the accents, so that "Crème" and "creme" are one word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def configuration() -> str:
    """Name PostgreSQL's text search configuration for the language of the shop."""
    return CONFIGURATIONS.get(settings.LANGUAGE_CODE.partition("-")[0], "simple")


def to_tsquery(text: str) -> str:
    """Write what somebody typed for PostgreSQL's to_tsquery: all words, the last one by its start.

    Only letters, digits and underscores come through, so no operator can; "" means no word at all.
    """
    words = _WORD.findall(fold(text))[:MOST_WORDS]
    terms = [f"'{word[:LONGEST_WORD]}'" for word in words]
    return " & ".join(terms) + ":*" if terms else ""
