"""The page of a category: where it stands in the tree, and its listing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from catalog import index
from catalog.queries import structured_data
from catalog.queries.filters import Query, sort_labels
from catalog.queries.links import Crumb, category_url
from catalog.queries.listing import Listing, lay_out_listing
from catalog.queries.pictures import ASSET_COLUMNS, Picture, make_picture
from catalog.queries.rows import fetch_rows
from shop.notes import read_from

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
    seo_title: str
    seo_description: str
    picture: Picture | None
    structured_data: SafeString


@dataclass(frozen=True)
class CategoryPage:
    category: CategoryHead
    breadcrumbs: list[Crumb]
    children: list[CategoryCard]
    listing: Listing


@dataclass(frozen=True, slots=True)
class _Place:
    """A category with those above it and right below it."""

    id: int
    head: CategoryHead
    breadcrumbs: list[Crumb]
    children: list[CategoryCard]


def get_category_page(path: str, *, query: Query) -> CategoryPage | None:
    """Return a category's page; None when there is no such category, or no such page of it."""
    place = _find_place(path)
    if place is None:
        return None
    subject = f"category:{place.id}"
    read_from(subject)
    snapshot = index.current()
    listing = lay_out_listing(
        snapshot.in_category(place.id),
        snapshot=snapshot,
        query=query,
        url=place.head.url,
        sorts=sort_labels(snapshot),
        subject=subject,
    )
    if listing is None:
        return None
    return CategoryPage(
        category=place.head,
        breadcrumbs=place.breadcrumbs,
        children=place.children,
        listing=listing,
    )


def make_category_card(path: str, name: str, alt: str, asset: Sequence[Any]) -> CategoryCard:
    """Build a category's tile from its columns and those of its image."""
    return CategoryCard(
        url=category_url(path), name=name, picture=make_picture(alt or name, *asset)
    )


def is_path(path: str) -> bool:
    """Say whether a category could stand at this path at all."""
    return len(path) <= LONGEST_PATH and _PATH.fullmatch(path) is not None


_FAMILY = f"""
SELECT category.id, category.parent_id, category.path, category.name, category.description,
       category.seo_title, category.seo_description, category.image_alt, {ASSET_COLUMNS}
FROM catalog_category category LEFT JOIN catalog_imageasset asset ON asset.id = category.image_id
WHERE category.path = ANY(%(line)s)
   OR category.parent_id = (SELECT id FROM catalog_category WHERE path = %(path)s)
ORDER BY category.position, category.name
"""


def _find_place(path: str) -> _Place | None:
    """Read a category, its ancestors and its children in one statement."""
    if not is_path(path):
        return None
    slugs = path.split("/")
    line = ["/".join(slugs[: depth + 1]) for depth in range(len(slugs))]
    rows = fetch_rows(_FAMILY, {"line": line, "path": path})
    by_path = {row[2]: row for row in rows}
    if path not in by_path:
        return None
    own_id, _parent, _path, name, description, seo_title, seo_description, *image = by_path[path]
    alt, *asset = image
    breadcrumbs = [
        Crumb(label=by_path[above][3], url=category_url(above))
        for above in line[:-1]
        if above in by_path
    ]
    return _Place(
        id=own_id,
        head=CategoryHead(
            name=name,
            description=description,
            url=category_url(path),
            seo_title=seo_title,
            seo_description=seo_description,
            picture=make_picture(alt or name, *asset),
            structured_data=structured_data.write(
                [structured_data.describe_way(breadcrumbs, here=name)]
            ),
        ),
        breadcrumbs=breadcrumbs,
        children=[
            make_category_card(child_path, child_name, alt, asset)
            for (
                _id, parent_id, child_path, child_name, _text, _title, _description, alt, *asset
            ) in rows
            if parent_id == own_id
        ],
    )  # fmt: skip
