"""Tells a form that a person filled in from one that a program sends, without asking for anything.

The page carries the time it was made, signed, and a field that nobody sees. Neither refuses an order
by itself: what looks like a program's counts several times against the limit on payments.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.core import signing

from shop.limits import DAY, SUSPICIOUS

SALT = "orders.haste"
LEAST_SECONDS = 2.0
"""Somebody whose address is known already reads the total and presses one button."""
LONGEST_SECONDS = DAY


def stamp() -> str:
    """Return the time of now, signed, for a page that is made now."""
    return signing.dumps("", salt=SALT)


def is_stamp(text: str) -> bool:
    """Say whether a page of ours carried this, not long ago."""
    try:
        signing.loads(text, salt=SALT, max_age=LONGEST_SECONDS)
    except signing.BadSignature:
        return False
    return True


def is_trapped(typed: Mapping[str, str]) -> bool:
    """Say whether the field was filled in that nobody sees."""
    return bool(typed.get("homepage", "").strip())


def weigh(typed: Mapping[str, str]) -> int:
    """Return how often a checkout counts at the address it comes from."""
    began = typed.get("began", "")
    if is_trapped(typed) or not is_stamp(began) or _is_younger(began, LEAST_SECONDS):
        return SUSPICIOUS
    return 1


def _is_younger(text: str, seconds: float) -> bool:
    try:
        signing.loads(text, salt=SALT, max_age=timedelta(seconds=seconds))
    except signing.SignatureExpired:
        return False
    return True
