"""The secret links of the catalogue: what a guest may do without an account.

Each carries an HMAC-SHA256 of what it opens, as the links of orders do, so nothing secret is stored
and SECRET_KEY_FALLBACKS keeps old links alive.
"""

from __future__ import annotations

from django.core.signing import BadSignature, Signer

SEPARATOR = "."


def make_buyer_key(product_id: int, order_number: str) -> str:
    """Return the key that lets the buyer of an order review one of its products."""
    signature = _signer("reviews").signature(f"{product_id}:{order_number}")
    return f"{order_number}{SEPARATOR}{signature}"


def read_buyer_key(product_id: int, key: str) -> str:
    """Return the order's number that a key stands for, "" when it is none of this product's."""
    number, _separator, signature = key.partition(SEPARATOR)
    try:
        signed = f"{product_id}:{number}{SEPARATOR}{signature}"
        return _signer("reviews").unsign(signed).partition(":")[2]
    except BadSignature:
        return ""


def make_photo_key(asset_id: int) -> str:
    """Return what stands in a form for a photograph that was taken in already."""
    return _signer("photos").sign(str(asset_id))


def read_photo_key(key: str) -> int | None:
    return _read_number("photos", key)


def make_restock_key(request_id: int) -> str:
    """Return the key by which somebody confirms or takes back that they want to be told."""
    return _signer("restock").sign(str(request_id))


def read_restock_key(key: str) -> int | None:
    return _read_number("restock", key)


def _read_number(purpose: str, key: str) -> int | None:
    try:
        return int(_signer(purpose).unsign(key))
    except (BadSignature, ValueError):
        return None


def _signer(purpose: str) -> Signer:
    return Signer(sep=SEPARATOR, salt=f"catalog.{purpose}")
