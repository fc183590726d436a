"""Tax arithmetic: a rate, and how an amount divides into net and tax."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from shop.money import Money


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax rate in percent, with the name that an invoice shows."""

    name: str
    percent: Decimal


NO_TAX = Rate("", Decimal(0))


@dataclass(frozen=True, slots=True)
class Taxed:
    """One amount as net, tax and gross; gross is always net plus tax."""

    net: Money
    tax: Money

    @property
    def gross(self) -> Money:
        return self.net + self.tax


def split(amount: Money, rate: Rate, *, includes_tax: bool) -> Taxed:
    """Divide an amount by a rate; the tax is rounded, the other part is what remains."""
    percent = rate.percent
    if includes_tax:
        tax = Money(amount.amount * percent / (100 + percent), amount.currency)
        return Taxed(net=amount - tax, tax=tax)
    return Taxed(net=amount, tax=Money(amount.amount * percent / 100, amount.currency))
