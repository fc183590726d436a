from __future__ import annotations

from collections.abc import Sequence

from shop.errors import ShopError


class ErasureRefused(ShopError):
    """A person cannot be erased yet; `obstacles` are sentences that say why and what to do."""

    def __init__(self, obstacles: Sequence[str]) -> None:
        self.obstacles = list(obstacles)
        super().__init__(" ".join(self.obstacles))


class AddressRefused(ShopError):
    """An address book is full, or the address is not in it; nothing was changed."""
