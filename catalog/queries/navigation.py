"""The menu: the two upper levels of the category tree."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

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


def list_navigation() -> tuple[NavItem, ...]:
    """List the two upper levels of categories; kept in the cache for a minute.

    The cache holds plain text, and equal text is laid out once: every page needs the menu.
    """
    text = cache.get(CACHE_KEY)
    if text is None:
        text = json.dumps(_read_rows())
        cache.set(CACHE_KEY, text, CACHE_SECONDS)
    return _lay_out(text, get_language())


def _read_rows() -> list[tuple[int, int | None, str, str]]:
    return list(
        Category.objects.filter(parent__parent=None)
        .order_by("position", "name")
        .values_list("id", "parent_id", "path", "name")
    )


@lru_cache(maxsize=16)
def _lay_out(text: str, language: str | None) -> tuple[NavItem, ...]:
    """Build the menu; the language decides how its addresses begin."""
    rows = json.loads(text)
    children: dict[int, list[NavItem]] = defaultdict(list)
    for _id, parent_id, path, name in rows:
        if parent_id is not None:
            children[parent_id].append(NavItem(label=name, url=category_url(path)))
    return tuple(
        NavItem(label=name, url=category_url(path), children=tuple(children[category_id]))
        for category_id, parent_id, path, name in rows
        if parent_id is None
    )
