"""Search by words and by SKU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS, ORDERS, ProductCard, list_cards
from catalog.queries.filters import SortOption, read_sort, sort_labels
from catalog.queries.links import Crumb, category_url
from catalog.queries.pagination import Pagination, limit_sql, paginate, read_page
from catalog.queries.rows import fetch_rows
from catalog.search.text import configuration, to_tsquery

LONGEST_QUERY = 200
MOST_SUGGESTIONS = 8
RELEVANCE = "relevance"
SKU_RANK = 1000


@dataclass(frozen=True)
class SearchPage:
    query: str
    cards: list[ProductCard]
    total: int
    sorts: list[SortOption]
    pagination: Pagination
    suggestions: list[Crumb]


def get_search_page(query: Mapping[str, Sequence[str]]) -> SearchPage | None:
    """Return what was found; None when the results have no such page."""
    typed = " ".join(query.get("q", [""])[-1].replace("\x00", " ").split())[:LONGEST_QUERY]
    labels = {RELEVANCE: _("Best match"), **sort_labels()}
    sort = read_sort(query.get("sort", [""])[-1], labels, RELEVANCE)
    page = read_page(query.get("page", [""])[-1])
    ids, total = _find(typed, sort=sort, page=page) if typed else ([], 0)
    url = reverse("catalog:search")

    def url_of(number: int, order: str = sort) -> str:
        pairs: list[tuple[str, Any]] = [("q", typed)]
        if order != RELEVANCE:
            pairs.append(("sort", order))
        if number > 1:
            pairs.append(("page", number))
        return f"{url}?{urlencode(pairs)}"

    pagination = paginate(total=total, page=page, url_of=url_of)
    if pagination is None:
        return None
    return SearchPage(
        query=typed,
        cards=list_cards(ids),
        total=total,
        sorts=[
            SortOption(value=value, label=label, url=url_of(1, value), selected=value == sort)
            for value, label in labels.items()
        ],
        pagination=pagination,
        suggestions=[] if ids else _list_popular_categories(),
    )


_FIND = """
WITH hits AS (
    SELECT id, ts_rank_cd(search, asked) AS rank
    FROM catalog_product, to_tsquery(%(configuration)s::regconfig, %(words)s) asked
    WHERE search @@ asked
    UNION ALL
    SELECT product_id, {sku_rank} FROM catalog_productvariant
    WHERE sku = ANY(%(skus)s) AND is_active
), found AS (
    SELECT id, max(rank) AS rank FROM hits GROUP BY id
)
SELECT p.id, count(*) OVER ()
FROM {products} JOIN found ON found.id = p.id
WHERE {for_sale}
ORDER BY {order} {limit}
"""


def _find(typed: str, *, sort: str, page: int) -> tuple[list[int], int]:
    """Return a page of ids with the number of all hits, both empty beyond the last page."""
    by_rank = "found.rank DESC, p.is_available DESC, p.popularity DESC, p.id DESC"
    rows = fetch_rows(
        _FIND.format(
            sku_rank=SKU_RANK,
            products=FROM_PRODUCTS,
            for_sale=FOR_SALE,
            order=ORDERS.get(sort, by_rank),
            limit=limit_sql(page),
        ),
        {
            "configuration": configuration(),
            "words": to_tsquery(typed),
            "skus": [typed, typed.upper()],
        },
    )
    return [row[0] for row in rows], rows[0][1] if rows else 0


def _list_popular_categories() -> list[Crumb]:
    rows = fetch_rows(
        f"""
        SELECT category.path, category.name
        FROM catalog_category category JOIN (
            SELECT p.category_id, sum(p.popularity) AS popularity, count(*) AS products
            FROM {FROM_PRODUCTS} WHERE {FOR_SALE} GROUP BY p.category_id
        ) AS sold ON sold.category_id = category.id
        ORDER BY sold.popularity DESC, sold.products DESC, category.name LIMIT {MOST_SUGGESTIONS}
        """
    )
    return [Crumb(label=name, url=category_url(path)) for path, name in rows]
