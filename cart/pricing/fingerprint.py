"""What a page showed of a cart, summed up, so that its forms can tell whether it is still so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from shop.money import Money


def fingerprint(lines: Iterable[tuple[int, int, Money]]) -> str:
    """Sum up (variant id, quantity, unit price) of every line, whatever their order."""
    facts = sorted(
        f"{variant_id}:{quantity}:{price.amount.normalize():f}"
        for variant_id, quantity, price in lines
    )
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:32]
