"""What the search index and a search must agree on: how text falls into words and codes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

from django.conf import settings

CONFIGURATIONS = {"en": "english", "de": "german"}
LONGEST_WORD = 60
SHORTEST_CODE = 4
SHORTEST_NUMBER = 3
SHORTEST_FORM = 5
ENDINGS = (
    "er", "or", "ed", "ing", "ion", "ment", "al", "ity", "ive", "able", "ible", "ance", "ence",
    "ful", "ness", "ly", "ic", "ize", "ise", "ism", "ist",
)  # fmt: skip

WORD = re.compile(r"[^\W_]+")
"""Letters and digits; whatever else there is stands between words."""
_CHAIN = re.compile(r"[^\W_]+(?:[-./_+#][^\W_]+)+")


def fold(text: str) -> str:
    """Lower the case and strip the accents, so that "Crème" and "creme" are one word."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def split_words(text: str) -> list[str]:
    """Return the words of a text, folded: letters and digits, no matter what stands between."""
    return [word[:LONGEST_WORD] for word in WORD.findall(fold(text))]


def list_codes(text: str) -> list[str]:
    """Return what may be a part number in a text, without its dashes: "tn2110" for "TN-2110"."""
    folded = fold(text)
    return [code for chain in _CHAIN.findall(folded) if (code := to_code(chain))]


def to_code(text: str) -> str:
    """Write a part number, SKU or barcode without dashes, dots and spaces; "" when it is none."""
    code = "".join(WORD.findall(fold(text)))
    is_one = len(code) >= SHORTEST_CODE and any(char.isdigit() for char in code)
    return code[:LONGEST_WORD] if is_one else ""


def write_words(texts: Iterable[str]) -> str:
    """Write texts as the search column takes them: words, their forms, part numbers whole."""
    words: list[str] = []
    for text in dict.fromkeys(texts):
        own = split_words(text)
        words += own
        words += filter(None, map(to_form, own))
        words += list_codes(text)
    return " ".join(words)


def to_form(word: str) -> str:
    """Return what tells a word from others of its stem, as the index writes it; "" for none.

    English stems reach far ("controller", "controlled", "control"); what has such an ending is kept
    in the singular too, with a 0 behind it, at which no stemmer looks. German stems hardly go
    beyond inflection.
    """
    if len(word) < SHORTEST_FORM:
        return ""
    singular = word[:-1] if word.endswith("s") else word
    is_kept = singular.endswith(ENDINGS) and configuration() == "english"
    return f"{singular}0" if is_kept else ""


def configuration() -> str:
    """Name PostgreSQL's text search configuration for the language of the shop."""
    return CONFIGURATIONS.get(settings.LANGUAGE_CODE.partition("-")[0], "simple")


def is_number(word: str) -> bool:
    """Say whether a word may be the start of a part number or a barcode."""
    return len(word) >= SHORTEST_NUMBER and any(char.isdigit() for char in word)


def split_at_digits(word: str) -> str:
    """Write "tn2110" as "tn 2110"; "" when it is all letters or all digits."""
    parts = re.findall(r"\d+|\D+", word)
    return " ".join(parts) if len(parts) > 1 else ""


def join_neighbours(words: list[str]) -> list[str]:
    """Write each two neighbours as one word, as others may write them: "head set", "headset"."""
    return [(one + other)[:LONGEST_WORD] for one, other in pairwise(words)]
