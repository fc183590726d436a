"""Delivery prices in bands: the last band that begins at or below the measure decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Band:
    """From `minimum` (grams, or value of the goods) on it costs `price`; None is not offered."""

    minimum: Decimal
    price: Decimal | None


def price_for(measure: Decimal, bands: Iterable[Band]) -> Decimal | None:
    """Return the price of a measure, or None when no band takes it."""
    price: Decimal | None = None
    for band in sorted(bands, key=lambda band: band.minimum):
        if measure < band.minimum:
            break
        price = band.price
    return price
