"""Categories as places to go on: where people buy most, and those whose names fit what is typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.index import Snapshot
from catalog.index.arrays import to_ids
from catalog.models import Category
from catalog.queries.links import Crumb, category_url
from catalog.search.text import split_words
from shop.remembered import until_changed

MOST_POPULAR = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A category with the folded words of its name."""

    id: int
    path: str
    name: str
    words: tuple[str, ...]


@until_changed("categories")
def list_places() -> Sequence[Place]:
    """List all categories, kept until one of them changes."""
    rows = Category.objects.order_by("path").values_list("id", "path", "name")
    return [Place(*row, words=tuple(split_words(row[2]))) for row in rows]


def list_popular_places(snapshot: Snapshot, *, most: int = MOST_POPULAR) -> list[Crumb]:
    """Return the categories whose own products sell best, then those that have most of them."""
    sold = snapshot.memory.recall("catalogue", "popular places", lambda: _count_sales(snapshot))
    ranked = sorted(
        (place for place in list_places() if place.id in sold),
        key=lambda place: (*(-number for number in sold[place.id]), place.name),
    )
    return [_link(place) for place in ranked[:most]]


def list_matching_places(words: Sequence[str], snapshot: Snapshot, *, most: int) -> list[Crumb]:
    """Return the categories whose name has a word that begins like each of these; largest first."""
    fitting = [
        place
        for place in list_places()
        if all(any(own.startswith(word) for own in place.words) for word in words)
        and snapshot.in_category(place.id)
    ]
    fitting.sort(key=lambda place: (-len(snapshot.in_category(place.id)), place.path))
    return [_link(place) for place in fitting[:most]]


def _count_sales(snapshot: Snapshot) -> Mapping[int, tuple[int, int]]:
    return {
        category: (int(snapshot.keys.popularity.take(to_ids(products)).sum()), len(products))
        for category, products in snapshot.own.items()
        if products
    }


def _link(place: Place) -> Crumb:
    return Crumb(label=place.name, url=category_url(place.path))
