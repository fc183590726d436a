"""The page of a category: its products, narrowed down, in order, by pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS, ORDERS, ProductCard, list_cards
from catalog.queries.facets import (
    Facet,
    count_products,
    list_facetables,
    list_facets,
)
from catalog.queries.filters import (
    IN_STOCK,
    Condition,
    Filters,
    SortOption,
    read_filters,
    read_sort,
    sort_labels,
)
from catalog.queries.links import Crumb, category_url
from catalog.queries.pagination import Pagination, limit_sql, paginate, read_page
from catalog.queries.pictures import ASSET_COLUMNS, Picture, make_picture
from catalog.queries.rows import fetch_rows
from shop.formatting import format_money
from shop.money import Money

_PATH = re.compile(r"[-a-zA-Z0-9_]+(/[-a-zA-Z0-9_]+)*")
LONGEST_PATH = 600


@dataclass(frozen=True, slots=True)
class CategoryCard:
    url: str
    name: str
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class CategoryHead:
    name: str
    description: str
    url: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, with the address that takes it off."""

    label: str
    remove_url: str


@dataclass(frozen=True)
class CategoryPage:
    category: CategoryHead
    breadcrumbs: list[Crumb]
    children: list[CategoryCard]
    cards: list[ProductCard]
    total: int
    facets: list[Facet]
    price_min: str
    price_max: str
    chips: list[Chip]
    clear_url: str
    sorts: list[SortOption]
    pagination: Pagination


@dataclass(frozen=True, slots=True)
class _Place:
    """A category with those above and below it."""

    head: CategoryHead
    breadcrumbs: list[Crumb]
    children: list[CategoryCard]
    ids: list[int]


def get_category_page(path: str, *, query: Mapping[str, Sequence[str]]) -> CategoryPage | None:
    """Return a category's page; None when there is no such category, or no such page of it."""
    place = _find_place(path)
    if place is None:
        return None
    facetables = list_facetables()
    filters = read_filters(query, facetables)
    labels = sort_labels()
    default = next(iter(labels))
    sort = read_sort(query.get("sort", [""])[-1], labels, default)
    sort_in_url = "" if sort == default else sort
    page = read_page(query.get("page", [""])[-1])
    url = place.head.url

    conditions = filters.conditions(facetables)
    total, counts = count_products(
        category_ids=place.ids, conditions=conditions, facetables=facetables
    )
    pagination = paginate(
        total=total,
        page=page,
        url_of=lambda number: url + filters.query_string(sort=sort_in_url, page=number),
    )
    if pagination is None:
        return None
    facets = list_facets(counts, filters=filters, facetables=facetables, path=url, sort=sort_in_url)
    return CategoryPage(
        category=place.head,
        breadcrumbs=place.breadcrumbs,
        children=place.children,
        cards=list_cards(_list_ids(place.ids, conditions, order=ORDERS[sort], page=page)),
        total=total,
        facets=facets,
        price_min=filters.price_min,
        price_max=filters.price_max,
        chips=_list_chips(filters, facets, url=url, sort=sort_in_url),
        clear_url=url + Filters().query_string(sort=sort_in_url),
        sorts=[
            SortOption(
                value=value,
                label=label,
                url=url + filters.query_string(sort="" if value == default else value),
                selected=value == sort,
            )
            for value, label in labels.items()
        ],
        pagination=pagination,
    )


def make_category_card(path: str, name: str, alt: str, asset: Sequence[Any]) -> CategoryCard:
    """Build a category's tile from its columns and those of its image."""
    return CategoryCard(
        url=category_url(path), name=name, picture=make_picture(alt or name, *asset)
    )


_FAMILY = f"""
SELECT category.id, category.parent_id, category.path, category.name, category.description,
       category.image_alt, {ASSET_COLUMNS}
FROM catalog_category category LEFT JOIN catalog_imageasset asset ON asset.id = category.image_id
WHERE category.path = ANY(%(line)s) OR category.path LIKE %(below)s
ORDER BY category.position, category.name
"""


def _find_place(path: str) -> _Place | None:
    """Read a category, its ancestors and its descendants in one statement."""
    if len(path) > LONGEST_PATH or not _PATH.fullmatch(path):
        return None
    slugs = path.split("/")
    line = ["/".join(slugs[: depth + 1]) for depth in range(len(slugs))]
    below = path.replace("_", r"\_") + "/%"
    rows = fetch_rows(_FAMILY, {"line": line, "below": below})
    by_path = {row[2]: row for row in rows}
    if path not in by_path:
        return None
    own_id, _parent, _path, name, description, *_image = by_path[path]
    return _Place(
        head=CategoryHead(name=name, description=description, url=category_url(path)),
        breadcrumbs=[
            Crumb(label=by_path[above][3], url=category_url(above))
            for above in line[:-1]
            if above in by_path
        ],
        children=[
            make_category_card(child_path, child_name, alt, asset)
            for _id, parent_id, child_path, child_name, _description, alt, *asset in rows
            if parent_id == own_id
        ],
        ids=[row[0] for row in rows if len(row[2]) >= len(path)],
    )


def _list_ids(
    category_ids: Sequence[int], conditions: Sequence[Condition], *, order: str, page: int
) -> list[int]:
    where = " AND ".join(
        [FOR_SALE, "p.category_id = ANY(%(categories)s)", *(c.sql for c in conditions)]
    )
    params: dict[str, Any] = {"categories": list(category_ids)}
    for condition in conditions:
        params.update(condition.params)
    rows = fetch_rows(
        f"SELECT p.id FROM {FROM_PRODUCTS} WHERE {where} ORDER BY {order} {limit_sql(page)}",
        params,
    )
    return [row[0] for row in rows]


def _list_chips(filters: Filters, facets: Sequence[Facet], *, url: str, sort: str) -> list[Chip]:
    chips = [
        Chip(
            label=option.label if facet.code == IN_STOCK else f"{facet.label}: {option.label}",
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
