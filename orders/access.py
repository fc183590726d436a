"""The secret link of an order: whoever holds it may see the order without an account.

The key is an HMAC-SHA256 over the order's number (256 bits, OWASP ASVS 11.5.1 asks for 128), so
nothing secret is stored, and rotating SECRET_KEY with SECRET_KEY_FALLBACKS keeps old links alive.
"""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils import translation

SALT = "orders.guest_access"


def make_key(number: str) -> str:
    """Return the key that opens an order's page."""
    return Signer(salt=SALT).signature(number)


def is_key(number: str, key: str) -> bool:
    """Say, in constant time, whether the key opens the order."""
    signer = Signer(salt=SALT)
    try:
        return signer.unsign(f"{number}{signer.sep}{key}") == number
    except BadSignature:
        return False


def order_url(number: str, *, language: str, name: str = "orders:detail") -> str:
    """Return the absolute secret address of an order, in the shopper's language."""
    with translation.override(language):
        return f"{settings.SHOP_URL}{reverse(name, args=[number])}?key={make_key(number)}"
