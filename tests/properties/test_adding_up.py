"""Whatever the prices, quantities and rates: the parts add up to the whole, to the cent."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cart.pricing.bands import Band, price_for
from cart.pricing.quote import DeliveryOffer, PricedItem, Quote, compute_quote
from shop.money import Money, exponent, total
from shop.tax import Rate, split

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "USD", "HUF"])
PERCENTS = st.decimals(min_value=0, max_value=100, places=3)
TAX_CLASSES = (1, 2, 3)
RATES = st.fixed_dictionaries(
    {},
    optional={
        tax_class: st.builds(Rate, st.sampled_from(["VAT", "GST"]), PERCENTS)
        for tax_class in TAX_CLASSES
    },
)


def coins(units: int, currency: str) -> Money:
    return Money(Decimal(units).scaleb(-exponent(currency)), currency)


def amounts(currency: str) -> st.SearchStrategy[Money]:
    return st.integers(0, 10**7).map(lambda units: coins(units, currency))


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    currency = draw(CURRENCIES)
    items = draw(
        st.lists(
            st.builds(
                PricedItem,
                variant_id=st.integers(1, 999),
                tax_class_id=st.sampled_from(TAX_CLASSES),
                unit_price=amounts(currency),
                quantity=st.integers(1, 999),
            ),
            min_size=1,
            max_size=12,
        )
    )
    delivery = draw(
        st.none()
        | st.builds(
            DeliveryOffer,
            code=st.just("standard"),
            label=st.just("Standard"),
            description=st.just(""),
            price=amounts(currency),
            tax_class_id=st.sampled_from(TAX_CLASSES),
            days_min=st.just(1),
            days_max=st.just(2),
        )
    )
    return compute_quote(
        items,
        delivery=delivery,
        rates=draw(RATES),
        currency=currency,
        prices_include_tax=draw(st.booleans()),
    )


@given(quotes())
def test_a_quote_adds_up(quote: Quote) -> None:
    shipping = quote.delivery.price if quote.delivery else Money.zero(quote.currency)
    on_top = Money.zero(quote.currency) if quote.prices_include_tax else quote.tax_total

    assert quote.items_total == total((line.total for line in quote.lines), quote.currency)
    assert quote.shipping_total == shipping
    assert quote.tax_total == total((line.tax for line in quote.tax_lines), quote.currency)
    assert quote.total == quote.items_total + shipping + on_top
    for line in quote.lines:
        assert line.total == line.unit_price * line.quantity
        assert line.taxed.gross == line.taxed.net + line.taxed.tax
        shown = line.taxed.gross if quote.prices_include_tax else line.taxed.net
        assert shown == line.total


@given(quotes())
def test_the_taxes_of_the_lines_are_the_taxes_of_the_order(quote: Quote) -> None:
    of_lines = total((line.taxed.tax for line in quote.lines), quote.currency)
    of_delivery = quote.tax_total - of_lines

    assert of_delivery.amount >= 0
    assert len({line.rate for line in quote.tax_lines}) == len(quote.tax_lines)
    assert all(line.rate.percent for line in quote.tax_lines)
    if quote.delivery is None:
        assert of_delivery == Money.zero(quote.currency)


@given(quotes())
def test_every_amount_is_a_whole_number_of_the_smallest_coin(quote: Quote) -> None:
    shown = [quote.total, quote.tax_total, *(line.taxed.net for line in quote.lines)]

    for money in shown:
        assert -money.amount.as_tuple().exponent == exponent(quote.currency)


@given(st.integers(0, 10**9), PERCENTS, st.booleans(), CURRENCIES)
def test_tax_is_never_negative_and_never_more_than_a_coin_off(
    units: int, percent: Decimal, includes_tax: bool, currency: str
) -> None:
    amount = coins(units, currency)

    parts = split(amount, Rate("VAT", percent), includes_tax=includes_tax)

    exact = parts.net.amount * percent / 100
    assert parts.tax.amount >= 0
    assert (parts.gross if includes_tax else parts.net) == amount
    assert abs(parts.tax.amount - exact) <= Decimal(1).scaleb(-exponent(currency))


@given(
    st.decimals(min_value=0, max_value=100_000, places=2),
    st.dictionaries(
        st.integers(0, 50_000).map(Decimal),
        st.none() | st.integers(0, 100).map(Decimal),
        min_size=1,
        max_size=6,
    ),
)
def test_the_last_band_that_begins_at_or_below_the_measure_decides(
    measure: Decimal, prices: dict[Decimal, Decimal | None]
) -> None:
    begun = [minimum for minimum in prices if minimum <= measure]

    price = price_for(measure, [Band(minimum, price) for minimum, price in prices.items()])

    assert price == (prices[max(begun)] if begun else None)
