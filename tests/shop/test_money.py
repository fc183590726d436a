"""Money: one rounding rule, one currency at a time."""

from __future__ import annotations

from decimal import Decimal

import pytest

from shop.formatting import format_money
from shop.money import CurrencyMismatch, Money, exponent, total


def euro(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.005", "EUR", "1.01"),
        ("1.004999", "EUR", "1.00"),
        ("-1.005", "EUR", "-1.01"),
        ("0.5", "JPY", "1"),
        ("1.4999", "JPY", "1"),
        ("1.0005", "KWD", "1.001"),
    ],
)
def test_half_is_rounded_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert str(Money(Decimal(amount), currency).amount) == rounded


@pytest.mark.parametrize(
    ("currency", "places"),
    [
        ("EUR", 2),
        ("JPY", 0),
        ("KWD", 3),
        ("HUF", 2),
        ("RSD", 2),
        ("ALL", 2),
        ("YER", 2),
        ("IQD", 3),
    ],
)
def test_a_currency_has_the_places_of_its_standard(currency: str, places: int) -> None:
    assert exponent(currency) == places


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1500.5", "RSD", "RSD1,500.50"),
        ("1500", "JPY", "¥1,500"),
        ("5.125", "KWD", "KWD5.125"),
        ("1234.5", "EUR", "€1,234.50"),
    ],
)
def test_an_amount_is_shown_with_all_the_places_that_are_charged(
    amount: str, currency: str, shown: str
) -> None:
    assert format_money(Money(Decimal(amount), currency)) == shown


def test_amounts_add_up() -> None:
    assert euro("0.10") + euro("0.20") == euro("0.30")
    assert euro("0.30") - euro("0.10") == euro("0.20")
    assert euro("0.35") * 3 == euro("1.05")
    assert -euro("1") == euro("-1")
    assert total([euro("1"), euro("2.50")], "EUR") == euro("3.50")
    assert total([], "EUR") == Money.zero("EUR")
    assert not Money.zero("EUR")
    assert euro("1") < euro("1.01")
    assert euro("1") <= euro("1.00")


def test_two_currencies_never_mix() -> None:
    yen = Money(Decimal(1), "JPY")

    for mix in (lambda: euro("1") + yen, lambda: euro("1") - yen, lambda: euro("1") < yen):
        with pytest.raises(CurrencyMismatch):
            mix()
    assert euro("1") != yen
