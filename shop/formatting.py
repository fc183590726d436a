"""Amounts as people read them, by the active language."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency
from django.utils.translation import get_language, to_locale

from shop.money import Money


def format_money(value: Money) -> str:
    """Format an amount by the active language: 1,234.50 euros are "€1,234.50" in English."""
    return _format(value, get_language() or "en")


@lru_cache(maxsize=8192)
def _format(value: Money, language: str) -> str:
    return format_currency(value.amount, value.currency, locale=_locale(language))


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    return Locale.parse(to_locale(language))
