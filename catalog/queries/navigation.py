"""The menu: the two upper levels of the category tree, then collections that belong there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import get_language

from catalog.models import Category, Collection
from catalog.queries.links import category_url, collection_url
from shop.remembered import until_changed

Row = tuple[int, int | None, str, str]


@dataclass(frozen=True, slots=True)
class NavItem:
    label: str
    url: str
    children: tuple[NavItem, ...] = ()


def list_navigation() -> tuple[NavItem, ...]:
    """List the two upper levels of categories and what follows them.

    Every page needs it, so it is kept.
    """
    return _lay_out(_read_rows(), _read_collections(), get_language())


@until_changed("categories")
def _read_rows() -> tuple[Row, ...]:
    return tuple(
        Category.objects.filter(parent__parent=None)
        .order_by("position", "name")
        .values_list("id", "parent_id", "path", "name")
    )


@until_changed("collections")
def _read_collections() -> tuple[tuple[str, str], ...]:
    return tuple(
        Collection.objects.filter(is_in_menu=True, is_public=True)
        .order_by("position", "name")
        .values_list("slug", "name")
    )


@lru_cache(maxsize=16)
def _lay_out(
    rows: tuple[Row, ...], collections: tuple[tuple[str, str], ...], language: str | None
) -> tuple[NavItem, ...]:
    """Build the menu; the language decides how its addresses begin."""
    children: dict[int, list[NavItem]] = defaultdict(list)
    for _id, parent_id, path, name in rows:
        if parent_id is not None:
            children[parent_id].append(NavItem(label=name, url=category_url(path)))
    return (
        *(
            NavItem(label=name, url=category_url(path), children=tuple(children[category_id]))
            for category_id, parent_id, path, name in rows
            if parent_id is None
        ),
        *(NavItem(label=name, url=collection_url(slug)) for slug, name in collections),
    )
