"""Columns for amounts and currencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    DecimalField = models.DecimalField[Any, Any]
    CharField = models.CharField[str, str]
else:
    DecimalField = models.DecimalField
    CharField = models.CharField


class AmountField(DecimalField):
    """A decimal amount; its currency stands on the same row or on its document."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 14)
        kwargs.setdefault("decimal_places", 4)
        super().__init__(*args, **kwargs)


class CurrencyField(CharField):
    """An ISO 4217 code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 3)
        super().__init__(*args, **kwargs)
