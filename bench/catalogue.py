"""The catalogue of a run, as `manage.py demo --products` makes it, and what there is to visit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path
from urllib.parse import urlencode

from django.db import connection

from bench.pages import World
from bench.server import NotStarted
from cart import demo as delivery
from catalog.demo.bulk import filling, words
from catalog.demo.bulk.tree import read_tree
from catalog.models import Product
from catalog.queries import category_url, product_url
from catalog.queries.pagination import PAGE_SIZE
from shop import demo as ground

MOST_VISITED = 2_000
LISTINGS = 8
COMMON, RARE = 40, 200
FIRST_RARE_RANK = 200
FACETS_AT_ONCE = 3
_LISTINGS = """
SELECT root.id, root.path, count(*)
FROM catalog_product product
JOIN catalog_category leaf ON leaf.id = product.category_id
JOIN catalog_category root ON root.path = split_part(leaf.path, '/', 1)
GROUP BY root.id, root.path ORDER BY count(*) DESC, root.id LIMIT %s
"""
_FACETS = """
SELECT split_part(leaf.path, '/', 1), attribute.code, value.facet
FROM catalog_product product
JOIN catalog_category leaf ON leaf.id = product.category_id
JOIN catalog_attributevalue value ON value.product_id = product.id
JOIN catalog_attribute attribute ON attribute.id = value.attribute_id
WHERE product.id <= 10000
GROUP BY 1, 2, 3 ORDER BY count(*) DESC, 2, 3
"""
_VARIANTS = """
SELECT min(variant.id)
FROM catalog_productvariant variant
JOIN catalog_stocklevel level ON level.variant_id = variant.id AND level.on_hand > 0
WHERE variant.product_id = ANY(%s) GROUP BY variant.product_id
"""


def is_filled(size: int) -> bool:
    """Say whether a database that was kept has these products; raise if it has others."""
    count = Product.objects.count()
    if count not in (0, size):
        raise NotStarted(f"The database that was kept has {count:,} products, not {size:,}.")
    return count == size


def fill(
    size: int, *, tree: Path | None = None, tell: Callable[[str], None] = lambda text: None
) -> None:
    """Write the ground and so many products; the database must be migrated and empty.

    The category tree is our own unless a file holds another one.
    """
    ground.add_tax_rates()
    ground.add_pages()
    delivery.add_delivery()
    filling.fill(size, nodes=read_tree(tree) if tree else None, tell=tell)


def describe(size: int) -> World:
    """Name what there is to visit: an even sample of products, and the largest departments."""
    numbers = list(range(1, size + 1, max(1, size // MOST_VISITED)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT slug, title FROM catalog_product WHERE id = ANY(%s) ORDER BY id", [numbers]
        )
        products = cursor.fetchall()
        cursor.execute(_VARIANTS, [numbers])
        variants = [variant for (variant,) in cursor.fetchall()]
        cursor.execute(_LISTINGS, [LISTINGS])
        listings = {path: -(-count // PAGE_SIZE) for _id, path, count in cursor.fetchall()}
    return World(
        size=size,
        products=[product_url(slug) for slug, _title in products],
        large_product=product_url(products[0][0]),
        listings={category_url(path): pages for path, pages in listings.items()},
        filtered=_narrow(list(listings)),
        words=_list_common_words(),
        rare_words=_list_rare_words([title for _slug, title in products]),
        variants=variants,
    )


def _narrow(paths: list[str]) -> list[str]:
    """Address each listing with common values of three facets, in very many combinations.

    What is common is read off the first products, which are the same in any size.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FACETS)
        rows = cursor.fetchall()
    addresses = []
    for path in paths:
        values: dict[str, list[str]] = defaultdict(list)
        for root, code, facet in rows:
            if root == path:
                values[code].append(facet)
        pairs = [[(code, facet) for facet in facets[:3]] for code, facets in values.items()]
        chosen = [c for some in combinations(pairs[:5], FACETS_AT_ONCE) for c in product(*some)]
        addresses += [f"{category_url(path)}?{urlencode(each)}" for each in chosen]
    return addresses


def _list_common_words() -> list[str]:
    """List words that very many products have, of all kinds."""
    kinds = (words.ADJECTIVES, words.MATERIALS, words.PURPOSES)
    return [word for kind in kinds for word in kind[: COMMON // len(kinds)]]


def _list_rare_words(titles: list[str]) -> list[str]:
    """List names of series that few products carry, from titles that there are."""
    rare = set(words.SERIES[FIRST_RARE_RANK:])
    found = dict.fromkeys(word for title in titles for word in title.split() if word in rare)
    return [word.lower() for word in list(found)[:RARE]]
