from __future__ import annotations

from shop.errors import ShopError


class CartNeedsAttention(ShopError):
    """A line of the cart cannot be bought as it stands; the cart page says which and why."""


class TotalChanged(ShopError):
    """The total is no longer what the shopper saw; nothing was ordered."""


class CartChanged(ShopError):
    """The form was made for another cart than the one that would be ordered."""


class OrderTooSmall(ShopError):
    """The goods are worth less than the shop sends out (SHOP_MINIMUM_ORDER)."""


class NotDeliverable(ShopError):
    """No delivery method takes this cart to that country."""


class ActionNotAllowed(ShopError):
    """The order's state does not allow what was asked for."""


class ParcelSentMeanwhile(ActionNotAllowed):
    """Another parcel of the same part left since the person looked, as after a double click."""
