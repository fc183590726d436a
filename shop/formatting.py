"""Amounts and tax rates as people read them, by the active language."""

from __future__ import annotations

from copy import copy
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import format_decimal as babel_decimal
from babel.numbers import format_percent
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from shop.money import Money, exponent


def format_money(value: Money) -> str:
    """Format an amount by the active language: 1,234.50 euros are "€1,234.50" in English."""
    return _format(value, get_language() or "en")


def format_tax(name: str, percent: Decimal) -> str:
    """Name a tax with its rate: "VAT 19%" in English, "19 % MwSt." in German."""
    # A rate's name is the merchant's; the one that rates have by default is known everywhere.
    words = {"VAT": _("VAT")}
    return _("%(tax)s %(rate)s") % {"tax": words.get(name, name), "rate": format_rate(percent)}


def format_rate(percent: Decimal) -> str:
    """Write a rate without needless digits: "19%" in English, "5,5 %" in German."""
    locale = _locale(get_language() or "en")
    return str(format_percent(percent / 100, locale=locale, decimal_quantization=False))


def format_decimal(number: Decimal | int) -> str:
    """Write a number with one digit at most: "4.6" in English, "4,6" in German."""
    locale = _locale(get_language() or "en")
    return str(babel_decimal(number, format="0.#", locale=locale))


@lru_cache(maxsize=8192)
def _format(value: Money, language: str) -> str:
    pattern = copy(_locale(language).currency_formats["standard"])
    # By itself Babel leaves out decimals that are rarely paid in cash, but are charged.
    pattern.frac_prec = (exponent(value.currency),) * 2
    return str(
        pattern.apply(
            value.amount, _locale(language), currency=value.currency, currency_digits=False
        )
    )


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    return Locale.parse(to_locale(language))
