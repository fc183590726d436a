"""The secret link in a mail by which whoever reads it ends mails of its kind.

It carries an HMAC-SHA256 of what it opens, so nothing secret is stored, SECRET_KEY_FALLBACKS keeps
old links alive, and no address stands in it.
"""

from __future__ import annotations

from django.core.signing import BadSignature, Signer

SEPARATOR = "."


def make_unsubscribe_key(preferences_id: int, kind: str) -> str:
    """Return the key that takes one kind of mail out of somebody's preferences."""
    return _signer().sign(f"{preferences_id}-{kind}")


def read_unsubscribe_key(key: str) -> tuple[int, str] | None:
    """Return the preferences and the kind that a key stands for."""
    try:
        number, _dash, kind = _signer().unsign(key).partition("-")
        return int(number), kind
    except (BadSignature, ValueError):
        return None


def _signer() -> Signer:
    return Signer(sep=SEPARATOR, salt="accounts.unsubscribe")
