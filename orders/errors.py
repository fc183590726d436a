from __future__ import annotations

from shop.errors import ShopError
from shop.money import Money


class CartNeedsAttention(ShopError):
    """A line of the cart cannot be bought as it stands; the cart page says which and why."""


class TotalChanged(ShopError):
    """The total is no longer what the shopper saw; nothing was ordered."""

    def __init__(self, message: str, *, new_total: Money) -> None:
        super().__init__(message)
        self.new_total = new_total


class CartChanged(ShopError):
    """The form was made for another cart than the one that would be ordered."""


class NotDeliverable(ShopError):
    """No delivery method takes this cart to that country."""


class ActionNotAllowed(ShopError):
    """The order's state does not allow what was asked for."""


class ParcelSentMeanwhile(ActionNotAllowed):
    """Another parcel of the same part left since the person looked, as after a double click."""
