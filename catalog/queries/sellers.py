"""Sellers as the shop introduces them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accounts.models import Seller
from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS, ORDERS, ProductCard, list_cards
from catalog.queries.links import seller_url
from catalog.queries.pagination import Pagination, limit_sql, paginate, read_page
from catalog.queries.pictures import ASSET_COLUMNS, Picture, make_picture
from catalog.queries.rows import fetch_rows


@dataclass(frozen=True, slots=True)
class SellerCard:
    """A maker in a few words; `handling_days` is None where nothing was promised."""

    url: str
    name: str
    tagline: str
    place: str
    handling_days: int | None = None
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class SellerStory:
    name: str
    tagline: str
    story: str
    place: str
    url: str


@dataclass(frozen=True)
class SellerPage:
    seller: SellerStory
    cards: list[ProductCard]
    total: int
    pagination: Pagination


def list_sellers(*, limit: int) -> list[SellerCard]:
    """List sellers who have something for sale, by name, each with a photograph of their work.

    It is the last one of what they published last: shops put the close look there.
    """
    rows = fetch_rows(
        f"""
        SELECT s.slug, s.name, s.tagline, s.place, s.handling_days,
               coalesce(nullif(image.alt, ''), work.title), {ASSET_COLUMNS}
        FROM accounts_seller s
        CROSS JOIN LATERAL (
            SELECT p.id, p.title FROM catalog_product p WHERE p.seller_id = s.id AND {FOR_SALE}
            ORDER BY p.id DESC LIMIT 1
        ) AS work
        LEFT JOIN LATERAL (
            SELECT image.alt, image.asset_id FROM catalog_productimage image
            WHERE image.product_id = work.id ORDER BY image.position DESC, image.id DESC LIMIT 1
        ) AS image ON true
        LEFT JOIN catalog_imageasset asset ON asset.id = image.asset_id
        ORDER BY s.name, s.id LIMIT {limit:d}
        """
    )
    return [
        SellerCard(
            url=seller_url(slug),
            name=name,
            tagline=tagline,
            place=place,
            handling_days=days,
            picture=make_picture(*picture),
        )
        for slug, name, tagline, place, days, *picture in rows
    ]


def get_seller_page(slug: str, *, query: Mapping[str, Sequence[str]]) -> SellerPage | None:
    """Return a seller's page; None when nobody active has that name, or no such page."""
    seller = (
        Seller.objects.filter(slug=slug, status=Seller.Status.ACTIVE)
        .values_list("id", "name", "tagline", "story", "place")
        .first()
    )
    if seller is None:
        return None
    seller_id, name, tagline, story, place = seller
    url = seller_url(slug)
    page = read_page(query.get("page", [""])[-1])
    ids, total = _list_ids(seller_id, page=page)
    pagination = paginate(
        total=total,
        page=page,
        url_of=lambda number: f"{url}?page={number}" if number > 1 else url,
    )
    if pagination is None or (page > 1 and not ids):
        return None
    return SellerPage(
        seller=SellerStory(name=name, tagline=tagline, story=story, place=place, url=url),
        cards=list_cards(ids),
        total=total,
        pagination=pagination,
    )


def _list_ids(seller_id: int, *, page: int) -> tuple[list[int], int]:
    rows = fetch_rows(
        f"""
        SELECT p.id, count(*) OVER () FROM {FROM_PRODUCTS}
        WHERE {FOR_SALE} AND p.seller_id = %(seller)s
        ORDER BY {ORDERS["newest"]} {limit_sql(page)}
        """,
        {"seller": seller_id},
    )
    return [row[0] for row in rows], rows[0][1] if rows else 0
