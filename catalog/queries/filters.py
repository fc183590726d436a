"""What a shopper narrowed a listing down to, as the address says it and as the index takes it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Self
from urllib.parse import quote_plus

from django.utils.translation import gettext as _

from catalog.index import MAKERS, Snapshot
from catalog.index.narrowing import Narrowing, to_price
from catalog.index.ordering import BEST, NEWEST, PRICE, PRICE_DOWN, RATED

MAKER = "maker"
IN_STOCK = "in_stock"
RATING = "rating"
PRICE_MIN = "price_min"
PRICE_MAX = "price_max"
STARS = ("4", "3", "2")

MOST_VALUES = 20
MOST_CHOICES = 40
LONGEST_VALUE = 80
LONGEST_CHOICES = 1_000
"""Letters of all choices as an address has them: each of hundreds of links on a page repeats them."""
LONGEST_AMOUNT = 20
_AMOUNT = re.compile(r"[0-9]{1,9}([.,][0-9]{1,4})?")

Query = Mapping[str, Sequence[str]]
Pair = tuple[str, str]
Choice = tuple[str, str]
"""The code of a facet with one of its values, as they stand in the address."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The choices in force. Prices are kept as typed; only what reads as an amount filters.

    `fixed` are pairs that every address of the listing has, such as the words of a search.
    """

    choices: tuple[Choice, ...] = ()
    price_min: str = ""
    price_max: str = ""
    fixed: tuple[Pair, ...] = ()

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
        """Return these filters with a choice put in or taken out; of ratings there is only one."""
        choice = (code, value)
        if choice in self.choices:
            return replace(self, choices=tuple(c for c in self.choices if c != choice))
        others = [c for c in self.choices if code != RATING or c[0] != RATING]
        choices = tuple(sorted([*others, choice]))
        return type(self)(choices, self.price_min, self.price_max, self.fixed)

    def clear(self) -> Self:
        """Return no filters, of the same listing."""
        return type(self)(fixed=self.fixed)

    def pairs(self, *, sort: str = "", page: int = 1, first: int | None = None) -> list[Pair]:
        """Return what an address says, always in the same order."""
        return [
            *self.fixed,
            *self.choices,
            *(
                (name, text)
                for name, text in ((PRICE_MIN, self.price_min), (PRICE_MAX, self.price_max))
                if text
            ),
            *([("sort", sort)] if sort else ()),
            *([("page", str(page))] if page > 1 else ()),
            *([("from", str(first))] if first not in (None, page) else ()),
        ]

    def query_string(self, *, sort: str = "", page: int = 1, first: int | None = None) -> str:
        """Write the filters as an address has them."""
        pairs = [
            _write_pair(name, text) for name, text in self.pairs(sort=sort, page=page, first=first)
        ]
        return f"?{'&'.join(pairs)}" if pairs else ""

    def narrowing(self, snapshot: Snapshot) -> Narrowing:
        """Say what products must be like, in the words of the index."""
        chosen: dict[int, tuple[str, ...]] = {}
        if makers := self.values(MAKER):
            chosen[MAKERS] = tuple(makers)
        for code, value in self.choices:
            if attribute := snapshot.by_code.get(code):
                chosen[attribute.id] = (*chosen.get(attribute.id, ()), value)
        return Narrowing(
            values=tuple(chosen.items()),
            lowest=to_price(self.lowest_price),
            highest=to_price(self.highest_price),
            is_available=bool(self.values(IN_STOCK)),
            stars=int(next(iter(self.values(RATING)), 0)),
        )


def read_filters(
    query: Query, snapshot: Snapshot, *, fixed: Sequence[Pair] = (), without: Collection[str] = ()
) -> Filters:
    """Read the filters of an address; what cannot be one is left out without a fuss.

    `without` are codes that are no filters of this listing.
    """
    known = [code for code in query if code == MAKER or code in snapshot.by_code]
    choices: list[Choice] = []
    for code in sorted({*known} - {*without}):
        values = [value for value in query[code] if _can_be_a_value(value)]
        choices += [(code, value) for value in dict.fromkeys(values[:MOST_VALUES])]
    if query.get(IN_STOCK, [""])[-1] == "1":
        choices.insert(0, (IN_STOCK, "1"))
    if snapshot.has_ratings and (stars := query.get(RATING, [""])[-1]) in STARS:
        choices.insert(0, (RATING, stars))
    return Filters(
        choices=tuple(sorted(_fit(choices[:MOST_CHOICES]))),
        price_min=_typed_amount(query, PRICE_MIN),
        price_max=_typed_amount(query, PRICE_MAX),
        fixed=tuple(fixed),
    )


def _fit(choices: Sequence[Choice]) -> Iterator[Choice]:
    """Leave out the choices with which an address would become too long."""
    room = LONGEST_CHOICES
    for choice in choices:
        room -= len(_write_pair(*choice))
        if room >= 0:
            yield choice


def read_amount(text: str) -> Decimal | None:
    """Read an amount of the shop's currency with a point or a comma; None when it is none."""
    if not _AMOUNT.fullmatch(text):
        return None
    return Decimal(text.replace(",", "."))


def read_sort(text: str, allowed: Iterable[str], default: str) -> str:
    """Return the order that was asked for, or the default when there is no such order."""
    return text if text in allowed else default


def sort_labels(snapshot: Snapshot) -> dict[str, str]:
    """Name the orders of a listing, the default one first; by rating once anything is rated."""
    return {
        NEWEST: _("Newest"),
        PRICE: _("Price, lowest first"),
        PRICE_DOWN: _("Price, highest first"),
        **({RATED: _("Best rated")} if snapshot.has_ratings else {}),
        BEST: _("Best sellers"),
    }


@dataclass(frozen=True, slots=True)
class SortOption:
    value: str
    label: str
    url: str
    selected: bool


@lru_cache(maxsize=8192)
def _write_pair(name: str, text: str) -> str:
    return f"{quote_plus(name)}={quote_plus(text)}"


def _can_be_a_value(value: str) -> bool:
    return 0 < len(value) <= LONGEST_VALUE and "\x00" not in value


def _typed_amount(query: Query, name: str) -> str:
    return query.get(name, [""])[-1].strip()[:LONGEST_AMOUNT]
