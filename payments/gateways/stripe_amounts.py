"""Amounts as Stripe writes them: integers whose number of decimals is Stripe's own matter.

Source: Stripe, "Supported currencies": zero-decimal currencies, three-decimal currencies, special
cases. What stands in neither list has two decimals there, whatever ISO 4217 or a locale says.
"""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from payments.errors import ProviderRefused
from shop.money import Money

ZERO_DECIMAL = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
        *("PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"),
    }
)
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
WHOLE_ONLY = frozenset({"ISK", "UGX"})
"""Written with two decimals, which must be zero."""


def to_stripe(money: Money) -> int:
    """Write an amount in Stripe's integer units. Raises `ProviderRefused` for one it cannot take.

    Of three decimals the last must be zero: no payment of 5.125 KWD, but one of 5.120.
    """
    units = money.amount.scaleb(_decimals(money.currency))
    if units % _step(money.currency):
        raise ProviderRefused(
            _("This amount cannot be paid in this currency. Nothing was charged; please tell us."),
            reason=f"Stripe takes no amount of {money.amount} {money.currency}",
        )
    return int(units)


def from_stripe(units: int, currency: str) -> Money:
    """Read an amount from Stripe's integer units."""
    return Money(Decimal(units).scaleb(-_decimals(currency)), currency)


def _decimals(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def _step(currency: str) -> int:
    if currency in WHOLE_ONLY:
        return 100
    return 10 if currency in THREE_DECIMAL else 1
