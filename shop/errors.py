"""The roots of every refusal that a shopper, seller or program may read."""

from __future__ import annotations


class ShopError(Exception):
    """A refusal with a text that a shopper can read; `str(error)` is that text."""


class BusyError(ShopError):
    """Somebody else holds the rows; nothing was changed, and trying again is right."""
