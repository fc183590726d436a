"""Setting columns while noticing whether anything changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model


def assign(row: Model, **values: Any) -> bool:
    """Set columns of an unsaved or saved row; say whether one of them had another value."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def choose_positions(rows: Sequence[Model]) -> list[int]:
    """Return a position for each of the rows in this order: their own where they stand in it."""
    places: list[tuple[int, int]] = [(vars(row)["position"], row.pk) for row in rows if row.pk]
    if len(places) == len(rows) and places == sorted(places):
        return [position for position, _pk in places]
    return list(range(len(rows)))
