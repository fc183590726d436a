from __future__ import annotations

from shop.errors import ShopError


class OutOfStock(ShopError):
    """Fewer pieces are left than were asked for; the cart page tells how many."""


class StockRuleBroken(ShopError):
    """An adjustment would leave less on the shelf than is promised to orders."""


class ImageRefused(ShopError):
    """A file is no picture that the shop can show."""


class PictureNotStored(ShopError):
    """A picture is fine, but the storage does not take it at the moment."""


class ProductRefused(ShopError):
    """A product cannot be saved as it stands; `field` names the part that is wrong."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class RestockRefused(ShopError):
    """Nobody needs to be told of this variant: it is gone for good, or there."""


class ReviewChanged(ShopError):
    """The author wrote the review anew after somebody read it to decide on it."""


class ReviewRefused(ShopError):
    """A review, an answer or a vote cannot be taken as it stands."""


class ImportRefused(ShopError):
    """An import cannot be begun or go on as things stand."""


class WishlistRefused(ShopError):
    """A list cannot be changed like this."""
