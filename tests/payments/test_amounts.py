"""What the provider is asked for is what the shopper saw, in every currency that it takes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from payments.errors import ProviderRefused
from payments.gateways.stripe_amounts import from_stripe, to_stripe
from payments.simulator import currencies
from shop.money import Money


@pytest.mark.parametrize("currency", sorted(currencies.SUPPORTED))
def test_seven_units_arrive_as_seven_units_in_every_currency(currency: str) -> None:
    seven = Money(Decimal(7), currency.upper())

    units = to_stripe(seven)

    assert currencies.amount_of(units, currency) == 7
    assert units % currencies.step(currency) == 0
    assert from_stripe(units, currency.upper()) == seven


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("12.30", "EUR", 1230),
        ("1500.50", "RSD", 150050),
        ("1500", "ALL", 150000),
        ("500", "JPY", 500),
        ("500", "ISK", 50000),
        ("12", "UGX", 1200),
        ("5.120", "KWD", 5120),
    ],
)
def test_an_amount_is_written_in_the_providers_units(
    amount: str, currency: str, units: int
) -> None:
    money = Money(Decimal(amount), currency)

    assert to_stripe(money) == units
    assert from_stripe(units, currency) == money


@pytest.mark.parametrize(("amount", "currency"), [("5.125", "KWD"), ("10.50", "MGA")])
def test_an_amount_that_the_provider_cannot_take_is_refused_and_never_rounded(
    amount: str, currency: str
) -> None:
    with pytest.raises(ProviderRefused, match="cannot be paid in this currency"):
        to_stripe(Money(Decimal(amount), currency))
