"""Amounts as PayPal writes them: decimals in a string, with as many places as PayPal takes.

Source: PayPal, "Currency codes": what stands in neither set is not taken at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from payments.errors import ProviderRefused, ProviderUnavailable
from shop.money import Money

WHOLE_ONLY = frozenset({"HUF", "JPY", "TWD"})
TWO_DECIMALS = frozenset(
    {
        *("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "MXN"),
        *("MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "USD"),
    }
)


def to_paypal(money: Money) -> dict[str, str]:
    """Write an amount as PayPal does. Raises `ProviderRefused` for one it cannot take."""
    currency = money.currency
    places = 0 if currency in WHOLE_ONLY else 2
    written = money.amount.quantize(Decimal(1).scaleb(-places))
    if currency not in WHOLE_ONLY | TWO_DECIMALS or written != money.amount:
        raise ProviderRefused(
            _("This amount cannot be paid in this currency. Nothing was charged; please tell us."),
            reason=f"PayPal takes no amount of {money.amount} {currency}",
        )
    return {"currency_code": currency, "value": f"{written:f}"}


def from_paypal(written: Mapping[str, str]) -> Money:
    """Read an amount. Raises `ProviderUnavailable` for one that cannot be understood."""
    try:
        return Money(Decimal(written["value"]), written["currency_code"])
    except (InvalidOperation, KeyError, TypeError) as error:
        raise ProviderUnavailable("PayPal wrote an amount that we cannot read") from error
