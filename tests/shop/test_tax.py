"""Tax: what is in a price, what comes on top, and where it applies."""

from __future__ import annotations

from decimal import Decimal

import pytest

from shop.models import TaxClass, TaxRate
from shop.money import Money
from shop.queries import get_tax_rates
from shop.tax import NO_TAX, Rate, split


@pytest.mark.parametrize(
    ("amount", "percent", "includes_tax", "net", "tax"),
    [
        ("119.00", "19", True, "100.00", "19.00"),
        ("24.00", "19", True, "20.17", "3.83"),
        ("24.00", "19", False, "24.00", "4.56"),
        ("0.01", "19", True, "0.01", "0.00"),
        ("0.03", "19", False, "0.03", "0.01"),
        ("10.70", "7", True, "10.00", "0.70"),
        ("10.00", "8.875", False, "10.00", "0.89"),
        ("10.00", "0", True, "10.00", "0.00"),
        ("10.00", "100", True, "5.00", "5.00"),
        ("0.00", "19", True, "0.00", "0.00"),
    ],
)
def test_a_price_divides_into_net_and_tax(
    amount: str, percent: str, includes_tax: bool, net: str, tax: str
) -> None:
    parts = split(
        Money(Decimal(amount), "EUR"), Rate("VAT", Decimal(percent)), includes_tax=includes_tax
    )

    assert (str(parts.net.amount), str(parts.tax.amount)) == (net, tax)


def test_no_tax_takes_nothing() -> None:
    price = Money(Decimal("9.99"), "EUR")

    assert split(price, NO_TAX, includes_tax=True).gross == price
    assert split(price, NO_TAX, includes_tax=True).tax == Money.zero("EUR")


@pytest.mark.django_db
def test_the_rate_of_a_region_wins_over_that_of_its_country() -> None:
    standard = TaxClass.objects.create(code="test-standard", name="Standard")
    books = TaxClass.objects.create(code="test-books", name="Books")
    for tax_class, country, region, percent in (
        (standard, "US", "", 0),
        (standard, "US", "CA", 7),
        (standard, "DE", "", 19),
        (books, "DE", "", 7),
    ):
        TaxRate.objects.create(tax_class=tax_class, country=country, region=region, percent=percent)

    def percents(country: str, region: str = "") -> dict[int, Decimal]:
        ours = {standard.pk, books.pk}
        rates = get_tax_rates(country=country, region=region)
        return {key: rate.percent for key, rate in rates.items() if key in ours}

    assert percents("US") == {standard.pk: Decimal(0)}
    assert percents("US", "CA") == {standard.pk: Decimal(7)}
    assert percents("US", "NV") == {standard.pk: Decimal(0)}
    assert percents("DE", "CA") == {standard.pk: Decimal(19), books.pk: Decimal(7)}
    assert percents("FR") == {}
