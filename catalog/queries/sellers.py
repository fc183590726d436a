"""Sellers as the shop introduces them."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest

from accounts.models import Seller
from catalog import index
from catalog.index import MAKERS, Snapshot
from catalog.index.applying import CATALOGUE
from catalog.queries.filters import MAKER, Query, sort_labels
from catalog.queries.links import seller_url
from catalog.queries.listing import Listing, lay_out_listing
from catalog.queries.pictures import ASSET_COLUMNS, Picture, make_picture
from catalog.queries.rows import fetch_rows
from shop.notes import read_from


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
    listing: Listing


def list_sellers(*, limit: int) -> list[SellerCard]:
    """List sellers who have something for sale, by name, each with a photograph of their work.

    It is the last one of what they published last: shops put the close look there.
    """
    snapshot = index.current()
    works = snapshot.memory.recall(
        CATALOGUE, ("works of sellers", limit), lambda: _list_newest_works(snapshot, limit)
    )
    rows = fetch_rows(
        f"""
        SELECT s.slug, s.name, s.tagline, s.place, s.handling_days,
               coalesce(nullif(image.alt, ''), work.title), {ASSET_COLUMNS}
        FROM unnest(%(works)s::bigint[]) WITH ORDINALITY AS wanted(id, place)
        JOIN catalog_product work ON work.id = wanted.id
        JOIN accounts_seller s ON s.id = work.seller_id
        LEFT JOIN LATERAL (
            SELECT image.alt, image.asset_id FROM catalog_productimage image
            WHERE image.product_id = work.id ORDER BY image.position DESC, image.id DESC LIMIT 1
        ) AS image ON true
        LEFT JOIN catalog_imageasset asset ON asset.id = image.asset_id
        ORDER BY wanted.place
        """,
        {"works": works},
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


def _list_newest_works(snapshot: Snapshot, limit: int) -> list[int]:
    """Name the newest product of each of the first sellers by name."""
    selling = (maker for maker in snapshot.values.get(MAKERS, {}).values() if maker.products)
    first = nsmallest(limit, selling, key=lambda maker: (maker.label.casefold(), maker.number))
    return [maker.products.max() for maker in first]


def get_seller_page(slug: str, *, query: Query) -> SellerPage | None:
    """Return a seller's page; None when nobody active has that name, or no such page."""
    seller = (
        Seller.objects.filter(slug=slug, status=Seller.Status.ACTIVE)
        .values_list("name", "tagline", "story", "place")
        .first()
    )
    if seller is None:
        return None
    subject = f"shelf:{slug}"
    read_from(subject)
    name, tagline, story, place = seller
    snapshot = index.current()
    url = seller_url(slug)
    listing = lay_out_listing(
        snapshot.made_by(slug),
        snapshot=snapshot,
        query=query,
        url=url,
        sorts=sort_labels(snapshot),
        subject=subject,
        without={MAKER},
    )
    if listing is None:
        return None
    return SellerPage(
        seller=SellerStory(name=name, tagline=tagline, story=story, place=place, url=url),
        listing=listing,
    )
