from __future__ import annotations

from shop.errors import ShopError


class ProviderUnavailable(ShopError):
    """The provider did not answer, or not clearly: what it did is unknown."""


class ProviderRefused(ShopError):
    """The provider understood and said no; asking again the same way will not help.

    `reason` is the provider's own, for staff and the log; shoppers read the message.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class UnknownAtProvider(ProviderRefused):
    """The provider has nothing by that id: it is another account's, or long deleted."""


class AttemptEnded(ShopError):
    """The attempt was given up while its page was being opened; nobody is to pay on it."""


class ForgedEvent(ShopError):
    """A webhook without a valid, fresh signature of ours."""


class RefundTooLarge(ShopError):
    """More would be refunded than was paid."""
