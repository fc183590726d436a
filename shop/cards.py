"""Finds card numbers in text: digits that a card scheme gives out, with the right check digit.

Lengths and first digits: ISO/IEC 7812 and what the schemes publish. The check is Luhn's. EANs,
timestamps and order numbers do not begin like that or have another length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SHOWN = 4
_SCHEMES = re.compile(
    r"""
      4\d{15}(?:\d{3})?                                        # Visa
    | 5[1-5]\d{14}                                             # Mastercard
    | 2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}
    | 3[47]\d{13}                                              # American Express
    | 3(?:0[0-5]|[689]\d)\d{11}                                # Diners
    | 6(?:011|5\d\d|4[4-9]\d)\d{12}                            # Discover
    | 35(?:2[89]|[3-8]\d)\d{12}                                # JCB
    | 62\d{14,17}                                              # UnionPay
    """,
    re.VERBOSE,
)
# Nobody writes a card's digits one by one.
_RUN = re.compile(r"(?<![\d.,+])[0-9]+(?:[ \u00a0-][0-9]{2,})*")
_GROUP = re.compile(r"[0-9]+")
LONGEST = 19


@dataclass(frozen=True, slots=True)
class Found:
    """A card number in a text: from where to where, and its digits."""

    start: int
    end: int
    digits: str


def find(text: str) -> Iterator[Found]:
    """Find card numbers, whole or in groups with a space or hyphen between them."""
    for run in _RUN.finditer(text):
        groups = list(_GROUP.finditer(text, run.start(), run.end()))
        begin = 0
        while begin < len(groups):
            length = _find_at(groups, begin)
            if length:
                last = groups[begin + length - 1]
                digits = "".join(group[0] for group in groups[begin : begin + length])
                yield Found(groups[begin].start(), last.end(), digits)
            begin += length or 1


def _find_at(groups: list[re.Match[str]], begin: int) -> int:
    """Return of how many groups the card number is made that begins with one, or 0."""
    digits = ""
    for length, group in enumerate(groups[begin : begin + LONGEST], start=1):
        digits += group[0]
        if len(digits) > LONGEST:
            return 0
        if _SCHEMES.fullmatch(digits) and is_luhn(digits):
            return length
    return 0


def has_any(text: str) -> bool:
    return next(find(text), None) is not None


def mask(text: str) -> str:
    """Leave the last four digits of each card number, which every receipt shows.

    >>> mask("card 4242 4242 4242 4242, thanks")
    'card [card …4242], thanks'
    """
    parts, end = [], 0
    for found in find(text):
        parts += [text[end : found.start], f"[card …{found.digits[-SHOWN:]}]"]
        end = found.end
    return "".join([*parts, text[end:]])


def is_luhn(digits: str) -> bool:
    """Say whether the last digit is the check digit of those before it (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
