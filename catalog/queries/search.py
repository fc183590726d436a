"""Search: the page of what was found, and what is offered while somebody is still typing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import numpy as np
from django.urls import reverse
from django.utils.translation import gettext as _
from pyroaring import BitMap

from catalog import index
from catalog.index import Snapshot
from catalog.index.arrays import Ids, to_bitmap, to_ids
from catalog.queries.cards import ProductCard, list_cards
from catalog.queries.filters import sort_labels
from catalog.queries.links import Crumb
from catalog.queries.listing import RELEVANCE, Listing, lay_out_listing
from catalog.queries.places import list_matching_places, list_popular_places
from catalog.search.finding import find
from catalog.search.hits import Hits
from catalog.search.postings import Scores
from catalog.search.question import read_question, tidy

MOST_NEARBY = 12
MOST_PRODUCTS_OFFERED = 5
MOST_PLACES_OFFERED = 3
SHORTEST_BEGINNING = 2
STOCK_MATTERS = 0.08
SALES_MATTER = 0.08
"""What is in stock, and what sells best, is worth so much more than what neither does."""


@dataclass(frozen=True)
class Wording:
    """Which words were looked for, and which others may have been meant ("" for none)."""

    typed: str
    looked_for: str = ""
    literal_url: str = ""
    question: str = ""
    question_url: str = ""
    is_partial: bool = False


@dataclass(frozen=True)
class SearchPage:
    """`listing` is None when nothing was asked or found; `nearby` are products that come close."""

    query: str
    wording: Wording
    listing: Listing | None
    total: int
    nearby: list[ProductCard]
    places: list[Crumb]
    counts: bool
    """It is what somebody looked for, not a further page of it or a part."""


@dataclass(frozen=True)
class Suggestions:
    """What to offer for the start of a search; `url` leads to all that is found."""

    query: str
    url: str
    total: int
    places: list[Crumb]
    cards: list[ProductCard]


def get_search_page(query: Mapping[str, Sequence[str]]) -> SearchPage | None:
    """Return what was found; None when the results have no such page."""
    typed = tidy(query.get("q", [""])[-1])
    snapshot = index.current()
    hits = _search(typed, snapshot)
    listing = None
    if hits.products:
        listing = lay_out_listing(
            hits.products,
            snapshot=snapshot,
            query=query,
            url=reverse("catalog:search"),
            pairs=(("q", typed),),
            sorts={RELEVANCE: _("Best match"), **sort_labels(snapshot)},
            best=partial(_best, hits, snapshot),
        )
        if listing is None:
            return None
    is_whole = listing is None or (not listing.is_narrowed and listing.pagination.page == 1)
    nearby = _best(hits, snapshot, hits.nearby, 0, MOST_NEARBY) if is_whole else []
    return SearchPage(
        query=typed,
        wording=_word(typed, hits),
        listing=listing,
        total=listing.total if listing else 0,
        nearby=list_cards(nearby),
        places=[] if listing else list_popular_places(snapshot),
        counts=bool(typed) and is_whole,
    )


def get_suggestions(typed: str) -> Suggestions:
    """Return products and categories that fit what somebody has typed so far."""
    typed = tidy(typed)
    question = read_question(typed)
    snapshot = index.current()
    if len("".join(question.words)) < SHORTEST_BEGINNING:
        return Suggestions(typed, search_url(typed), 0, [], [])
    hits = find(question, within=snapshot.for_sale, is_begun=True)
    first = _best(hits, snapshot, hits.products, 0, MOST_PRODUCTS_OFFERED)
    return Suggestions(
        query=typed,
        url=search_url(hits.looked_for or typed),
        total=len(hits.products),
        places=list_matching_places(question.words, snapshot, most=MOST_PLACES_OFFERED),
        cards=list_cards(first),
    )


def list_best(typed: str, most: int) -> list[int]:
    """Return the products that a search shows first, those that come close behind the others."""
    snapshot = index.current()
    hits = _search(tidy(typed), snapshot)
    found = _best(hits, snapshot, hits.products, 0, most)
    return [*found, *_best(hits, snapshot, hits.nearby, 0, most)][:most]


def search_url(words: str) -> str:
    """Address the results of some words."""
    return f"{reverse('catalog:search')}?{urlencode({'q': words})}"


def _search(typed: str, snapshot: Snapshot) -> Hits:
    return find(read_question(typed), within=snapshot.for_sale)


def _best(hits: Hits, snapshot: Snapshot, among: BitMap, start: int, stop: int) -> list[int]:
    return hits.best(among, start, stop, liking=partial(_like, snapshot))


def _like(snapshot: Snapshot, ids: Ids) -> Scores:
    """Favour a little what can be bought now, and what sells well among these products."""
    sold = np.log1p(snapshot.keys.popularity.take(ids).astype(np.float32))
    most = sold.max(initial=0)
    liking = 1 + np.float32(SALES_MATTER) * sold / (most or 1)
    in_stock = to_ids(to_bitmap(ids) & snapshot.available)
    liking[np.searchsorted(ids, in_stock)] += np.float32(STOCK_MATTERS)
    return liking.astype(np.float32)


def _word(typed: str, hits: Hits) -> Wording:
    return Wording(
        typed=typed,
        looked_for=hits.looked_for,
        literal_url=search_url(f'"{typed}"') if hits.looked_for else "",
        question=hits.question,
        question_url=search_url(hits.question) if hits.question else "",
        is_partial=hits.is_partial,
    )
