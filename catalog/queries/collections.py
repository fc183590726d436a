"""Collections: which products are in one, and its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext as _
from pyroaring import BitMap

from catalog import index
from catalog.index import Snapshot
from catalog.index.applying import CATALOGUE
from catalog.index.arrays import to_bitmap, to_ids
from catalog.index.narrowing import Narrowing, narrow, to_price
from catalog.index.ordering import BEST, list_page
from catalog.models import Collection
from catalog.queries.cards import ProductCard
from catalog.queries.category import CategoryCard
from catalog.queries.filters import Query, sort_labels
from catalog.queries.links import collection_url
from catalog.queries.listing import RELEVANCE, Listing, lay_out_listing
from catalog.queries.pictures import ASSET_COLUMNS, Picture, make_picture
from catalog.queries.rows import fetch_rows
from shop.clock import now
from shop.notes import read_from

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""From here PostgreSQL counts the microseconds that the index has of `published_at`."""
_UNPUBLISHED = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Rule:
    """What products must be like; what is not filled in asks nothing. Sellers by their slugs.

    `facts` are pairs like `material=stoneware`.
    """

    categories: tuple[int, ...]
    sellers: tuple[str, ...]
    tags: tuple[str, ...]
    facts: tuple[str, ...]
    price_min: Decimal | None
    price_max: Decimal | None
    is_reduced: bool
    newest_days: int | None


@dataclass(frozen=True, slots=True)
class Definition:
    """A collection as it was set up; `rule` is None where `items` were chosen by hand."""

    id: int
    slug: str
    name: str
    description: str
    seo_title: str
    seo_description: str
    picture: Picture | None
    rule: Rule | None
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CollectionHead:
    name: str
    description: str
    seo_title: str
    seo_description: str
    url: str
    picture: Picture | None


@dataclass(frozen=True)
class CollectionPage:
    collection: CollectionHead
    listing: Listing


_DEFINITIONS = f"""
SELECT c.id, c.slug, c.name, c.description, c.seo_title, c.seo_description, c.kind, c.tags, c.facts, c.price_min, c.price_max,
       c.is_reduced, c.newest_days,
       ARRAY(
           SELECT category_id FROM catalog_collection_categories
           WHERE collection_id = c.id ORDER BY 1
       ),
       ARRAY(
           SELECT seller.slug FROM catalog_collection_sellers chosen
           JOIN accounts_seller seller ON seller.id = chosen.seller_id
           WHERE chosen.collection_id = c.id ORDER BY 1
       ),
       ARRAY(
           SELECT product_id FROM catalog_collectionitem
           WHERE collection_id = c.id ORDER BY position, id
       ),
       c.image_alt, {ASSET_COLUMNS}
FROM catalog_collection c LEFT JOIN catalog_imageasset asset ON asset.id = c.image_id
WHERE {{which}}
ORDER BY c.position, c.name, c.id
"""


def get_collection_page(slug: str, *, query: Query) -> CollectionPage | None:
    """Return a collection's page; None when there is none of that name, or no such page of it."""
    found = list_definitions("c.slug = %(slug)s AND c.is_public", slug=slug)
    if not found:
        return None
    collection = found[0]
    read_from(CATALOGUE, f"collection:{collection.id}")
    snapshot = index.current()
    url = collection_url(slug)
    by_hand = {} if collection.rule else {RELEVANCE: _("As we arranged it")}
    listing = lay_out_listing(
        list_members(collection, snapshot),
        snapshot=snapshot,
        query=query,
        url=url,
        sorts=by_hand | sort_labels(snapshot),
        best=lambda among, start, stop: [i for i in collection.items if i in among][start:stop],
        subject=CATALOGUE,
        scope=(collection.items, collection.rule, _find_cutoff(collection.rule)),
    )
    if listing is None:
        return None
    head = CollectionHead(
        name=collection.name,
        description=collection.description,
        seo_title=collection.seo_title,
        seo_description=collection.seo_description,
        url=url,
        picture=collection.picture,
    )
    return CollectionPage(collection=head, listing=listing)


def list_definitions(which: str, **params: Any) -> list[Definition]:
    """Read collections, those for which this SQL about the row `c` holds, in their order."""
    return [_define(row) for row in fetch_rows(_DEFINITIONS.format(which=which), params)]


def list_members(collection: Definition, snapshot: Snapshot) -> BitMap:
    """Return what is for sale of a collection."""
    rule = collection.rule
    if rule is None:
        return BitMap(collection.items) & snapshot.for_sale
    cutoff = _find_cutoff(rule)
    return snapshot.memory.recall(
        CATALOGUE, ("collection", rule, cutoff), lambda: _follow(rule, cutoff, snapshot)
    )


def find_cover(collection: Definition, snapshot: Snapshot) -> int | None:
    """Name the product whose photograph stands for a collection without one of its own."""
    members = list_members(collection, snapshot)
    by_hand = (item for item in collection.items if item in members)
    return next(by_hand, None) or next(iter(list_page(snapshot, members, BEST, 0, 1)), None)


def make_collection_card(collection: Definition, *, cover: ProductCard | None) -> CategoryCard:
    """Build a collection's tile, with its own photograph or else that of a product."""
    return CategoryCard(
        url=collection_url(collection.slug),
        name=collection.name,
        picture=collection.picture or (cover.picture if cover else None),
    )


def _define(row: Sequence[Any]) -> Definition:
    (
        collection_id, slug, name, description, seo_title, seo_description, kind, tags, facts,
        price_min, price_max, is_reduced, newest_days, categories, sellers, items, *picture,
    ) = row  # fmt: skip
    rule = Rule(
        categories=tuple(categories), sellers=tuple(sellers), tags=tuple(tags),
        facts=tuple(facts), price_min=price_min, price_max=price_max, is_reduced=is_reduced,
        newest_days=newest_days,
    )  # fmt: skip
    is_by_rule = kind == Collection.Kind.RULE
    return Definition(
        id=collection_id,
        slug=slug,
        name=name,
        description=description,
        seo_title=seo_title,
        seo_description=seo_description,
        picture=make_picture(*picture),
        rule=rule if is_by_rule else None,
        items=() if is_by_rule else tuple(items),
    )


def _find_cutoff(rule: Rule | None) -> datetime | None:
    """Say since when products must have been published. It moves on at the shop's midnight."""
    if rule is None or rule.newest_days is None:
        return None
    today = timezone.localtime(now()).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=rule.newest_days)


def _follow(rule: Rule, cutoff: datetime | None, snapshot: Snapshot) -> BitMap:
    """Find what fits a rule: by the index as far as it knows, by PostgreSQL for the rest."""
    narrowing = Narrowing(lowest=to_price(rule.price_min), highest=to_price(rule.price_max))
    found = narrow(snapshot, snapshot.for_sale, narrowing).found
    if rule.categories:
        found = found & BitMap.union(*map(snapshot.in_category, rule.categories))
    if rule.sellers:
        found = found & BitMap.union(*map(snapshot.made_by, rule.sellers))
    if cutoff is not None:
        ids = to_ids(found)
        published = snapshot.keys.published.take(ids)
        since = (cutoff - EPOCH) // timedelta(microseconds=1)
        found = to_bitmap(ids[(published >= since) & (published != _UNPUBLISHED)])
    if rule.tags or rule.facts or rule.is_reduced:
        found = found & _ask(rule)
    return found


def _ask(rule: Rule) -> BitMap:
    """Find what fits those parts of a rule that the index does not know."""
    conditions = ["p.status = 'active'"]
    params: dict[str, Any] = {}
    if rule.tags:
        conditions.append("p.tags && %(tags)s::varchar[]")
        params["tags"] = list(rule.tags)
    if rule.is_reduced:
        conditions.append("p.compare_at_from > p.price_from")
    for place, (code, facets) in enumerate(_group(rule.facts).items()):
        conditions.append(
            f"""p.id IN (
                SELECT value.product_id FROM catalog_attributevalue value
                JOIN catalog_attribute attribute ON attribute.id = value.attribute_id
                WHERE attribute.code = %(code_{place})s AND value.facet = ANY(%(facets_{place})s)
            )"""
        )
        params |= {f"code_{place}": code, f"facets_{place}": facets}
    rows = fetch_rows(
        f"SELECT p.id FROM catalog_product p WHERE {' AND '.join(conditions)}", params
    )
    return to_bitmap(np.array([row[0] for row in rows], dtype=np.uint32))


def _group(facts: Sequence[str]) -> dict[str, list[str]]:
    """Put the values of each attribute together: a product must state one of them."""
    groups: dict[str, list[str]] = {}
    for fact in facts:
        code, _equals, facet = fact.partition("=")
        groups.setdefault(code, []).append(facet)
    return groups
