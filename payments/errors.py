from __future__ import annotations

from shop.errors import ShopError


class ProviderUnavailable(ShopError):
    """The provider did not answer, or not clearly; what it did is unknown, so nothing is assumed."""


class ProviderRefused(ShopError):
    """The provider understood and said no; asking again the same way will not help."""


class ForgedEvent(ShopError):
    """A webhook without a valid, fresh signature of ours."""


class RefundTooLarge(ShopError):
    """More would be refunded than was paid."""
