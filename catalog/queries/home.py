"""The front page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from catalog import index
from catalog.queries import structured_data
from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS, ORDERS, ProductCard, list_cards
from catalog.queries.category import CategoryCard, make_category_card
from catalog.queries.collections import find_cover, list_definitions, make_collection_card
from catalog.queries.pictures import ASSET_COLUMNS, Picture, get_hero_picture
from catalog.queries.rows import fetch_rows
from catalog.queries.sellers import SellerCard, list_sellers

NEW_PRODUCTS = 5
BEST_PRODUCTS = 8
MOST_CATEGORIES = 8
MOST_COLLECTIONS = 4
MOST_SELLERS = 6


@dataclass(frozen=True)
class HomePage:
    hero_picture: Picture
    collections: list[CategoryCard]
    categories: list[CategoryCard]
    new_products: list[ProductCard]
    best_products: list[ProductCard]
    sellers: list[SellerCard]
    structured_data: SafeString


def get_home_page() -> HomePage:
    """Return the front page; the best sellers are others than the new things above them."""
    new = _list_ids(order=ORDERS["newest"], limit=NEW_PRODUCTS, without=())
    best = _list_ids(order=ORDERS["best"], limit=BEST_PRODUCTS, without=new)
    snapshot = index.current()
    collections = list_definitions("c.is_on_home AND c.is_public")[:MOST_COLLECTIONS]
    covers = {each.id: find_cover(each, snapshot) for each in collections if not each.picture}
    cards = {card.id: card for card in list_cards([*new, *best, *filter(None, covers.values())])}
    return HomePage(
        hero_picture=get_hero_picture(),
        collections=[
            make_collection_card(each, cover=cards.get(covers.get(each.id) or 0))
            for each in collections
        ],
        categories=_list_categories(),
        new_products=[cards[product] for product in new if product in cards],
        best_products=[cards[product] for product in best if product in cards],
        sellers=list_sellers(limit=MOST_SELLERS),
        structured_data=structured_data.write(structured_data.describe_shop()),
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
