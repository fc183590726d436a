"""Dividing an amount so that its parts sum to it exactly."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from decimal import ROUND_DOWN, Decimal
from typing import TypeVar

from shop.money import exponent, quantize

K = TypeVar("K", bound=Hashable)


def divide(amount: Decimal, weights: Mapping[K, Decimal], currency: str) -> dict[K, Decimal]:
    """Divide an amount by weights, to the currency's smallest unit: the parts sum to it exactly.

    What rounding down leaves over goes, a unit each, to the parts that lost most by it (largest
    remainder; of equal ones the first). An amount up to the sum of the weights takes no more than
    its weight of any. The weights are not negative, and not all of them zero.
    """
    whole = sum(weights.values(), Decimal(0))
    unit = Decimal(1).scaleb(-exponent(currency))
    exact = {key: amount * weight / whole for key, weight in weights.items()}
    parts = {key: part.quantize(unit, rounding=ROUND_DOWN) for key, part in exact.items()}
    left = amount - sum(parts.values(), Decimal(0))
    for key in sorted(exact, key=lambda key: parts[key] - exact[key])[: int(left / unit)]:
        parts[key] += unit
    return parts


def slice_of(
    whole: Decimal, *, count: int | Decimal, of: int | Decimal, taken: Decimal, currency: str
) -> Decimal:
    """Return what `count` of a thing's `of` pieces are worth, when `taken` is gone for some of them.

    `count` includes the pieces that are gone. What is worth a fraction of the smallest unit is
    rounded over all pieces so far, so that the slices of all pieces sum to the whole exactly.
    """
    return max(quantize(whole * count / of, currency) - taken, Decimal(0))
