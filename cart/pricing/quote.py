"""What a cart costs: pure arithmetic from facts to a quote that can be frozen into an order.

Each line is priced, rounded and taxed by itself, and every total is a sum of lines, so that the
parts always add up (invariants I1 and I9).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shop.money import Money, total
from shop.tax import NO_TAX, Rate, Taxed, split


@dataclass(frozen=True, slots=True)
class PricedItem:
    """What the quote must know of a cart line; `unit_price` as the catalogue shows it."""

    variant_id: int
    tax_class_id: int
    unit_price: Money
    quantity: int


@dataclass(frozen=True, slots=True)
class DeliveryOffer:
    """A delivery method that takes this cart to this country, with its price as shown."""

    code: str
    label: str
    description: str
    price: Money
    tax_class_id: int
    days_min: int
    days_max: int


@dataclass(frozen=True, slots=True)
class QuotedLine:
    variant_id: int
    unit_price: Money
    quantity: int
    total: Money
    rate: Rate
    taxed: Taxed


@dataclass(frozen=True, slots=True)
class QuotedTax:
    """All that one rate takes, delivery included."""

    rate: Rate
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Quote:
    """A cart's price; `items_total` and `shipping_total` are as shown, `total` is what is paid."""

    currency: str
    prices_include_tax: bool
    lines: tuple[QuotedLine, ...]
    delivery: DeliveryOffer | None
    items_total: Money
    shipping_total: Money
    tax_lines: tuple[QuotedTax, ...]
    tax_total: Money
    total: Money


def compute_quote(
    items: Iterable[PricedItem],
    *,
    delivery: DeliveryOffer | None,
    rates: Mapping[int, Rate],
    currency: str,
    prices_include_tax: bool,
) -> Quote:
    """Price some items and their delivery; `rates` maps tax class ids to the place's rates."""
    lines = tuple(_quote_line(item, rates, prices_include_tax) for item in items)
    items_total = total((line.total for line in lines), currency)
    shipping_total = delivery.price if delivery else Money.zero(currency)
    taxed = [(line.rate, line.taxed) for line in lines]
    if delivery:
        rate = rates.get(delivery.tax_class_id, NO_TAX)
        taxed.append((rate, split(delivery.price, rate, includes_tax=prices_include_tax)))
    tax_lines = _sum_by_rate(taxed, currency)
    tax_total = total((line.tax for line in tax_lines), currency)
    grand_total = items_total + shipping_total
    if not prices_include_tax:
        grand_total = grand_total + tax_total
    return Quote(
        currency=currency,
        prices_include_tax=prices_include_tax,
        lines=lines,
        delivery=delivery,
        items_total=items_total,
        shipping_total=shipping_total,
        tax_lines=tax_lines,
        tax_total=tax_total,
        total=grand_total,
    )


def _quote_line(
    item: PricedItem, rates: Mapping[int, Rate], prices_include_tax: bool
) -> QuotedLine:
    rate = rates.get(item.tax_class_id, NO_TAX)
    line_total = item.unit_price * item.quantity
    return QuotedLine(
        variant_id=item.variant_id,
        unit_price=item.unit_price,
        quantity=item.quantity,
        total=line_total,
        rate=rate,
        taxed=split(line_total, rate, includes_tax=prices_include_tax),
    )


def _sum_by_rate(taxed: Iterable[tuple[Rate, Taxed]], currency: str) -> tuple[QuotedTax, ...]:
    nets: dict[Rate, Money] = defaultdict(lambda: Money.zero(currency))
    taxes: dict[Rate, Money] = defaultdict(lambda: Money.zero(currency))
    for rate, parts in taxed:
        if rate.percent:
            nets[rate] = nets[rate] + parts.net
            taxes[rate] = taxes[rate] + parts.tax
    ordered = sorted(nets, key=lambda rate: (-rate.percent, rate.name))
    return tuple(QuotedTax(rate, nets[rate], taxes[rate]) for rate in ordered)
