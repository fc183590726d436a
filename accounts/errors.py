"""Refusals about people and roles, with a text that they can read."""

from __future__ import annotations

from shop.errors import ShopError


class LastOwner(ShopError):
    """Nobody would be left who may let others in."""


class RoleRefused(ShopError):
    """Somebody tried to give or take a role that is not theirs to give."""


class LookRefused(ShopError):
    """Somebody may not look at the shop as this person."""
