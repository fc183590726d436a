from __future__ import annotations

from shop.errors import ShopError


class AddressRefused(ShopError):
    """An address book is full, or the address is not in it; nothing was changed."""
