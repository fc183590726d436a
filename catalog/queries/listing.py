"""A listing: products of a category, of a search or of a seller, narrowed, in order, by pages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from pyroaring import BitMap

from catalog.index import MAKERS, Snapshot
from catalog.index.narrowing import Narrowed, narrow
from catalog.index.ordering import list_page
from catalog.index.tallying import Tally, tally
from catalog.queries.cards import ProductCard, list_cards
from catalog.queries.facets import Facet, list_facets
from catalog.queries.filters import (
    IN_STOCK,
    RATING,
    Filters,
    Pair,
    Query,
    SortOption,
    read_filters,
    read_sort,
)
from catalog.queries.pagination import PAGE_SIZE, Pagination, paginate, read_first, read_page
from shop.formatting import format_money
from shop.money import Money

RELEVANCE = "relevance"
MOST_REMEMBERED = 6
"""A page with more choices than this is hardly asked for twice."""

Best = Callable[[BitMap, int, int], Sequence[int]]
"""Gives the products at some places of an order of its own: `best(among, start, stop)`."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, with the address that takes it off."""

    label: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is on one page of the listing."""

    page: int
    cards: list[ProductCard]


@dataclass(frozen=True)
class Listing:
    """What the parts of a listing's page need.

    `shelves` are the cards by the pages they are on. `kept` are the pairs that the form for prices
    repeats. A page `is_indexable` when nothing narrows it and its order is the usual one;
    `canonical_url` is its address without the rest.
    """

    cards: list[ProductCard]
    shelves: list[Shelf]
    total: int
    facets: tuple[Facet, ...]
    price_min: str
    price_max: str
    kept: tuple[Pair, ...]
    chips: list[Chip]
    clear_url: str
    sorts: list[SortOption]
    pagination: Pagination
    is_narrowed: bool
    is_indexable: bool
    canonical_url: str


def lay_out_listing(
    base: BitMap, *, snapshot: Snapshot, query: Query, url: str, sorts: Mapping[str, str],
    pairs: Sequence[Pair] = (), best: Best | None = None, subject: str = "", scope: Hashable = (),
    without: Collection[str] = (),
) -> Listing | None:  # fmt: skip
    """Lay out the page of `base` that the address asks for; None when there is no such page.

    `base` are products for sale. `sorts` names the orders, the usual one first; `relevance` is the
    one that `best` gives. `pairs` stand in every address, as the words of a search do. `without`
    are codes of facets that make no sense here. What is worked out is remembered until `subject`
    changes (`category:7`), unless nobody else is likely to ask for it; without a subject it is not.
    Where several listings hang on one subject, `scope` tells them apart.
    """
    filters = read_filters(query, snapshot, fixed=pairs, without=without)
    subject = subject if _may_be_asked_again(filters, snapshot) else ""
    usual = next(iter(sorts))
    sort = read_sort(query.get("sort", [""])[-1], sorts, usual)
    in_url = "" if sort == usual else sort
    page = read_page(query.get("page", [""])[-1])
    first = read_first(query.get("from", [""])[-1], page)
    found = _find(base, snapshot, filters, subject, scope)
    pagination = paginate(
        total=found.tally.total,
        page=page,
        first=first,
        url_of=lambda number, start: (
            url + filters.query_string(sort=in_url, page=number, first=start)
        ),
    )
    if pagination is None:
        return None
    facets = snapshot.memory.recall(
        subject,
        ("facets", scope, filters, in_url, url, get_language(), tuple(without)),
        lambda: list_facets(
            found.tally, snapshot=snapshot, filters=filters, url=url, sort=in_url, without=without
        ),
    )
    cards = list_cards(found.list_ids(sort, first, page, best))
    return Listing(
        cards=cards,
        shelves=[
            Shelf(first + place, cards[place * PAGE_SIZE : (place + 1) * PAGE_SIZE])
            for place in range(page - first + 1)
        ],
        total=found.tally.total,
        facets=facets,
        price_min=filters.price_min,
        price_max=filters.price_max,
        kept=tuple(replace(filters, price_min="", price_max="").pairs(sort=in_url)),
        chips=_list_chips(filters, facets, url=url, sort=in_url),
        clear_url=url + filters.clear().query_string(sort=in_url),
        sorts=[
            SortOption(
                value=value,
                label=label,
                url=url + filters.query_string(sort="" if value == usual else value),
                selected=value == sort,
            )
            for value, label in sorts.items()
        ],
        pagination=pagination,
        is_narrowed=not filters.is_empty,
        is_indexable=filters.is_empty and sort == usual and first == page,
        canonical_url=url + filters.clear().query_string(page=page),
    )


def _may_be_asked_again(filters: Filters, snapshot: Snapshot) -> bool:
    """Say whether a link leads here: to few choices that there are, and to no price that was typed.

    So what strangers make up takes no memory.
    """
    if filters.price_min or filters.price_max or len(filters.choices) > MOST_REMEMBERED:
        return False
    return all(
        facet in snapshot.values.get(attribute_id, {})
        for attribute_id, facets in filters.narrowing(snapshot).values
        for facet in facets
    )


@dataclass(frozen=True)
class _Found:
    """The products that pass, counted; they are only put into an order where that is not known."""

    snapshot: Snapshot
    filters: Filters
    subject: str
    scope: Hashable
    tally: Tally
    narrowed: Callable[[], Narrowed]

    def list_ids(self, sort: str, first: int, page: int, best: Best | None) -> Sequence[int]:
        start, stop = (first - 1) * PAGE_SIZE, page * PAGE_SIZE

        def work_out() -> Sequence[int]:
            if sort == RELEVANCE and best is not None:
                return best(self.narrowed().found, start, stop)
            return list_page(self.snapshot, self.narrowed().found, sort, start, stop)

        return self.snapshot.memory.recall(
            self.subject,
            ("ids", self.scope, self.filters.narrowing(self.snapshot), sort, first, page),
            work_out,
        )


def _find(
    base: BitMap, snapshot: Snapshot, filters: Filters, subject: str, scope: Hashable
) -> _Found:
    narrowing = filters.narrowing(snapshot)
    narrowed = cache(lambda: narrow(snapshot, base, narrowing))
    counted = snapshot.memory.recall(
        subject,
        ("tally", scope, narrowing),
        lambda: tally(snapshot, narrowed(), narrowing, shown=(MAKERS,)),
    )
    return _Found(snapshot, filters, subject, scope, counted, narrowed)


def _list_chips(filters: Filters, facets: Sequence[Facet], *, url: str, sort: str) -> list[Chip]:
    chips = [
        Chip(
            label=option.label
            if facet.code in (IN_STOCK, RATING)
            else f"{facet.label}: {option.label}",
            remove_url=option.url,
        )
        for facet in facets
        for option in facet.options
        if option.selected
    ]
    if (low := filters.lowest_price) is not None:
        without = replace(filters, price_min="")
        label = _("From %(price)s") % {"price": _amount(low)}
        chips.append(Chip(label=label, remove_url=url + without.query_string(sort=sort)))
    if (high := filters.highest_price) is not None:
        without = replace(filters, price_max="")
        label = _("Up to %(price)s") % {"price": _amount(high)}
        chips.append(Chip(label=label, remove_url=url + without.query_string(sort=sort)))
    return chips


def _amount(value: Decimal) -> str:
    return format_money(Money(value, settings.SHOP_CURRENCY))
