from __future__ import annotations

from shop.errors import ShopError


class NotForSale(ShopError):
    """The variant is gone, hidden or sold out; nothing was put in the cart."""


class CartFull(ShopError):
    """The cart holds as many different things as it can."""


class CartClosed(ShopError):
    """The cart was already ordered."""


class ChangedElsewhere(ShopError):
    """Another device changed the cart since this one looked; nothing was changed."""
