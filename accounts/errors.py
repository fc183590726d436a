"""Refusals about people, roles and addresses, with a text that they can read."""

from __future__ import annotations

from collections.abc import Sequence

from shop.errors import ShopError


class AddressRefused(ShopError):
    """An address book is full, or the address is not in it; nothing was changed."""


class ErasureRefused(ShopError):
    """A person cannot be erased yet; `obstacles` are sentences that say why and what to do."""

    def __init__(self, obstacles: Sequence[str]) -> None:
        self.obstacles = list(obstacles)
        super().__init__(" ".join(self.obstacles))


class LastOwner(ShopError):
    """Nobody would be left who may let others in."""


class RoleRefused(ShopError):
    """Somebody tried to give or take a role that is not theirs to give."""


class LookRefused(ShopError):
    """Somebody may not look at the shop as this person."""
