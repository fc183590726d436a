"""Finds card numbers in text: digits that a card scheme gives out, with the right check digit.

Lengths and first digits: ISO/IEC 7812 and what the schemes publish. The check is Luhn's. EANs,
timestamps and order numbers do not begin like that or have another length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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
_DIGITS = re.compile(r"(?<![\d.,])\d(?:[ \u00a0-]?\d){13,18}(?!\d)")


def find(text: str) -> Iterator[re.Match[str]]:
    """Find card numbers, with or without spaces or hyphens between their digits."""
    for found in _DIGITS.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if digits.isascii() and _SCHEMES.fullmatch(digits) and is_luhn(digits):
            yield found


def has_any(text: str) -> bool:
    return next(find(text), None) is not None


def mask(text: str) -> str:
    """Leave the last four digits of each card number, which every receipt shows.

    >>> mask("card 4242 4242 4242 4242, thanks")
    'card [card …4242], thanks'
    """
    parts, end = [], 0
    for found in find(text):
        parts += [text[end : found.start()], f"[card …{found[0][-SHOWN:]}]"]
        end = found.end()
    return "".join([*parts, text[end:]])


def is_luhn(digits: str) -> bool:
    """Say whether the last digit is the check digit of those before it (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
