"""The menu: the two upper levels of the category tree."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import get_language

from catalog.models import Category
from catalog.queries.links import category_url
from shop.remembered import until_changed

Row = tuple[int, int | None, str, str]


@dataclass(frozen=True, slots=True)
class NavItem:
    label: str
    url: str
    children: tuple[NavItem, ...] = ()


def list_navigation() -> tuple[NavItem, ...]:
    """List the two upper levels of categories; every page needs them, so they are kept."""
    return _lay_out(_read_rows(), get_language())


@until_changed("categories")
def _read_rows() -> tuple[Row, ...]:
    return tuple(
        Category.objects.filter(parent__parent=None)
        .order_by("position", "name")
        .values_list("id", "parent_id", "path", "name")
    )


@lru_cache(maxsize=16)
def _lay_out(rows: tuple[Row, ...], language: str | None) -> tuple[NavItem, ...]:
    """Build the menu; the language decides how its addresses begin."""
    children: dict[int, list[NavItem]] = defaultdict(list)
    for _id, parent_id, path, name in rows:
        if parent_id is not None:
            children[parent_id].append(NavItem(label=name, url=category_url(path)))
    return tuple(
        NavItem(label=name, url=category_url(path), children=tuple(children[category_id]))
        for category_id, parent_id, path, name in rows
        if parent_id is None
    )
