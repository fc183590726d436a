"""What a shopper narrowed a listing down to, as the address says it and as SQL understands it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Self
from urllib.parse import urlencode

from django.utils.translation import gettext as _

MAKER = "maker"
IN_STOCK = "in_stock"
PRICE_MIN = "price_min"
PRICE_MAX = "price_max"
RESERVED = frozenset({MAKER, IN_STOCK, PRICE_MIN, PRICE_MAX, "sort", "page", "q"})

MOST_VALUES = 20
LONGEST_VALUE = 80
LONGEST_AMOUNT = 20
_AMOUNT = re.compile(r"[0-9]{1,9}([.,][0-9]{1,4})?")

Choice = tuple[str, str]
"""The code of a facet with one of its values, as they stand in the address."""


@dataclass(frozen=True, slots=True)
class Facetable:
    """An attribute that shoppers can filter by."""

    id: int
    code: str
    name: str
    kind: str
    unit: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter in SQL, over the product `p` and its seller `s`."""

    code: str
    sql: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filters:
    """The choices in force. Prices are kept as typed; only what reads as an amount filters."""

    choices: tuple[Choice, ...] = ()
    price_min: str = ""
    price_max: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.choices or self.price_min or self.price_max)

    @property
    def lowest_price(self) -> Decimal | None:
        return read_amount(self.price_min)

    @property
    def highest_price(self) -> Decimal | None:
        return read_amount(self.price_max)

    def values(self, code: str) -> list[str]:
        """Return what is chosen of one facet."""
        return [value for chosen, value in self.choices if chosen == code]

    def toggle(self, code: str, value: str) -> Self:
        """Return these filters with a choice put in or taken out."""
        choice = (code, value)
        if choice in self.choices:
            return replace(self, choices=tuple(c for c in self.choices if c != choice))
        return replace(self, choices=tuple(sorted({*self.choices, choice})))

    def query_string(self, *, sort: str = "", page: int = 1) -> str:
        """Write the filters as an address has them, always in the same order."""
        pairs: list[tuple[str, str | int]] = [*self.choices]
        pairs += [
            (name, text)
            for name, text in ((PRICE_MIN, self.price_min), (PRICE_MAX, self.price_max))
            if text
        ]
        if sort:
            pairs.append(("sort", sort))
        if page > 1:
            pairs.append(("page", page))
        return f"?{urlencode(pairs)}" if pairs else ""

    def conditions(self, facetables: Iterable[Facetable]) -> list[Condition]:
        """Say in SQL what a product must fulfil, one condition per facet in use."""
        conditions = []
        low, high = self.lowest_price, self.highest_price
        if low is not None:
            conditions.append(Condition("price", "p.price_from >= %(low)s", {"low": low}))
        if high is not None:
            conditions.append(Condition("price", "p.price_from <= %(high)s", {"high": high}))
        if self.values(IN_STOCK):
            conditions.append(Condition(IN_STOCK, "p.is_available"))
        if makers := self.values(MAKER):
            conditions.append(Condition(MAKER, "s.slug = ANY(%(makers)s)", {"makers": makers}))
        conditions += [
            _attribute_condition(facetable, values)
            for facetable in facetables
            if (values := self.values(facetable.code))
        ]
        return conditions


def read_filters(query: Mapping[str, Sequence[str]], facetables: Iterable[Facetable]) -> Filters:
    """Read the filters of an address; what cannot be one is left out without a fuss."""
    codes = {facetable.code for facetable in facetables}
    choices: set[Choice] = set()
    for code in sorted(codes | {MAKER}):
        values = [value for value in query.get(code, ()) if _can_be_a_value(value)]
        choices.update((code, value) for value in values[:MOST_VALUES])
    if query.get(IN_STOCK, [""])[-1] == "1":
        choices.add((IN_STOCK, "1"))
    return Filters(
        choices=tuple(sorted(choices)),
        price_min=_typed_amount(query, PRICE_MIN),
        price_max=_typed_amount(query, PRICE_MAX),
    )


def read_amount(text: str) -> Decimal | None:
    """Read an amount of the shop's currency with a point or a comma; None when it is none."""
    if not _AMOUNT.fullmatch(text):
        return None
    return Decimal(text.replace(",", "."))


def read_sort(text: str, allowed: Iterable[str], default: str) -> str:
    """Return the order that was asked for, or the default when there is no such order."""
    return text if text in allowed else default


def sort_labels() -> dict[str, str]:
    """Name the orders of a listing, the default one first."""
    return {
        "newest": _("Newest"),
        "price": _("Price, lowest first"),
        "-price": _("Price, highest first"),
        "best": _("Best sellers"),
    }


@dataclass(frozen=True, slots=True)
class SortOption:
    value: str
    label: str
    url: str
    selected: bool


def _attribute_condition(facetable: Facetable, values: list[str]) -> Condition:
    name = f"facets_{facetable.id}"
    return Condition(
        facetable.code,
        "EXISTS (SELECT FROM catalog_attributevalue stated WHERE stated.product_id = p.id "
        f"AND stated.attribute_id = {facetable.id:d} AND stated.facet = ANY(%({name})s))",
        {name: values},
    )


def _can_be_a_value(value: str) -> bool:
    return 0 < len(value) <= LONGEST_VALUE and "\x00" not in value


def _typed_amount(query: Mapping[str, Sequence[str]], name: str) -> str:
    return query.get(name, [""])[-1].strip()[:LONGEST_AMOUNT]
