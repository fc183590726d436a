"""Setting columns while noticing whether anything changed."""

from __future__ import annotations

from typing import Any

from django.db.models import Model


def assign(row: Model, **values: Any) -> bool:
    """Set columns of an unsaved or saved row; say whether one of them had another value."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)
