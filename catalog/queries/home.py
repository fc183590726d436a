"""The front page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS, ORDERS, ProductCard, list_cards
from catalog.queries.category import CategoryCard, make_category_card
from catalog.queries.pictures import ASSET_COLUMNS, Picture, get_hero_picture
from catalog.queries.rows import fetch_rows
from catalog.queries.sellers import SellerCard, list_sellers

NEW_PRODUCTS = 5
BEST_PRODUCTS = 8
MOST_CATEGORIES = 8
MOST_SELLERS = 6


@dataclass(frozen=True)
class HomePage:
    hero_picture: Picture
    categories: list[CategoryCard]
    new_products: list[ProductCard]
    best_products: list[ProductCard]
    sellers: list[SellerCard]


def get_home_page() -> HomePage:
    """Return the front page; the best sellers are others than the new things above them."""
    new = _list_ids(order=ORDERS["newest"], limit=NEW_PRODUCTS, without=())
    best = _list_ids(order=ORDERS["best"], limit=BEST_PRODUCTS, without=new)
    cards = list_cards([*new, *best])
    return HomePage(
        hero_picture=get_hero_picture(),
        categories=_list_categories(),
        new_products=cards[: len(new)],
        best_products=cards[len(new) :],
        sellers=list_sellers(limit=MOST_SELLERS),
    )


def _list_ids(*, order: str, limit: int, without: Sequence[int]) -> list[int]:
    rows = fetch_rows(
        f"""
        SELECT p.id FROM {FROM_PRODUCTS} WHERE {FOR_SALE} AND p.id <> ALL(%(without)s::bigint[])
        ORDER BY {order} LIMIT {limit:d}
        """,
        {"without": list(without)},
    )
    return [row[0] for row in rows]


def _list_categories() -> list[CategoryCard]:
    rows = fetch_rows(
        f"""
        SELECT category.path, category.name, category.image_alt, {ASSET_COLUMNS}
        FROM catalog_category category
        LEFT JOIN catalog_imageasset asset ON asset.id = category.image_id
        WHERE category.parent_id IS NULL
        ORDER BY category.position, category.name LIMIT {MOST_CATEGORIES}
        """
    )
    return [make_category_card(path, name, alt, asset) for path, name, alt, *asset in rows]
