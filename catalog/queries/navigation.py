"""The menu: the two upper levels of the category tree."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.core.cache import cache
from django.utils.translation import get_language

from catalog.models import Category
from catalog.queries.links import category_url

CACHE_KEY = "catalog:navigation"
CACHE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class NavItem:
    label: str
    url: str
    children: tuple[NavItem, ...] = ()


def list_navigation() -> list[NavItem]:
    """List the two upper levels of categories; kept in the cache for a minute."""
    key = f"{CACHE_KEY}:{get_language()}"
    items: list[NavItem] | None = cache.get(key)
    if items is None:
        items = _read_navigation()
        cache.set(key, items, CACHE_SECONDS)
    return items


def _read_navigation() -> list[NavItem]:
    rows = list(
        Category.objects.filter(parent__parent=None)
        .order_by("position", "name")
        .values_list("id", "parent_id", "path", "name")
    )
    children: dict[int, list[NavItem]] = defaultdict(list)
    for _id, parent_id, path, name in rows:
        if parent_id is not None:
            children[parent_id].append(NavItem(label=name, url=category_url(path)))
    return [
        NavItem(label=name, url=category_url(path), children=tuple(children[category_id]))
        for category_id, parent_id, path, name in rows
        if parent_id is None
    ]
