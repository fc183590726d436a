"""What people say of a product: the first few on its page, all of them on one of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from catalog.models import Product, Purchase, Review
from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS
from catalog.queries.crumbs import LINE, make_crumbs
from catalog.queries.links import (
    Crumb,
    product_url,
    review_url,
    reviews_url,
    write_review_url,
)
from catalog.queries.pagination import Pagination, paginate
from catalog.queries.pictures import ASSET_COLUMNS, Picture, make_picture
from catalog.queries.rows import Row, fetch_row, fetch_rows
from shop.formatting import format_decimal
from shop.notes import read_from

FIRST_FEW = 3
PAGE_SIZE = 12
EXCERPT = 420
"""So many characters of a review stand on the product's page; the rest is a link away."""
STARS = (5, 4, 3, 2, 1)


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review as everybody sees it; `is_cut` when there is more of it to read at `url`."""

    id: int
    url: str
    name: str
    stars: int
    title: str
    text: str
    is_cut: bool
    is_verified: bool
    written_at: datetime
    photos: tuple[Picture, ...]
    answer: str
    helpful_count: int


@dataclass(frozen=True, slots=True)
class StarBar:
    """How many gave so many stars; `percent` is its share of all. No link where there is none."""

    stars: int
    count: int
    percent: int
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Reviews:
    """What people say, summed up; `rating` is None, and has no words, before the first review."""

    rating: Decimal | None
    rating_words: str
    count: int
    bars: tuple[StarBar, ...]
    reviews: tuple[ReviewView, ...]
    seller_name: str
    url: str
    write_url: str


@dataclass(frozen=True, slots=True)
class ReviewedProduct:
    """A product as the pages about its reviews name it."""

    id: int
    title: str
    url: str
    seller_name: str
    breadcrumbs: tuple[Crumb, ...]
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class ReviewsPage:
    """`chosen` stars of which alone reviews are listed, 0 for all."""

    product: ReviewedProduct
    summary: Reviews
    chosen: int
    pagination: Pagination


_REVIEWS = """
SELECT tally.counts, review.*
FROM (
    SELECT ARRAY[
        count(*) FILTER (WHERE stars = 5), count(*) FILTER (WHERE stars = 4),
        count(*) FILTER (WHERE stars = 3), count(*) FILTER (WHERE stars = 2),
        count(*) FILTER (WHERE stars = 1)
    ] AS counts
    FROM catalog_review WHERE product_id = %(product)s AND status = 'published'
) AS tally
LEFT JOIN LATERAL (
    SELECT each.id, each.name, each.stars, each.title, each.text, each.is_verified,
           each.published_at, each.answer, each.helpful_count,
           ARRAY(
               SELECT ARRAY[
                   asset.original, asset.base, asset.renditions::text, asset.width::text,
                   asset.height::text
               ]
               FROM catalog_reviewphoto photo
               JOIN catalog_imageasset asset ON asset.id = photo.asset_id
               WHERE photo.review_id = each.id
               ORDER BY photo.position, photo.id
           ) AS photos
    FROM catalog_review AS each
    WHERE each.product_id = %(product)s AND each.status = 'published' AND {only}
    ORDER BY each.helpful_count DESC, each.published_at DESC, each.id DESC
    LIMIT {limit:d} OFFSET {offset:d}
) AS review ON true
ORDER BY review.helpful_count DESC, review.published_at DESC, review.id DESC
"""


def get_first_reviews(product_id: int, *, slug: str, seller_name: str) -> Reviews:
    """Return what the product's own page says of its reviews; one statement."""
    rows = _fetch(product_id, limit=FIRST_FEW)
    return _sum_up(rows, product_id, slug=slug, seller_name=seller_name, excerpt=EXCERPT)


def get_reviews_page(slug: str, *, page: int, stars: int) -> ReviewsPage | None:
    """Return a page of all reviews, the most helpful first; None when there is no such page."""
    product = find_reviewed_product(slug)
    if product is None:
        return None
    chosen = stars if stars in STARS else 0
    rows = _fetch(product.id, stars=chosen, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    summary = _sum_up(rows, product.id, slug=slug, seller_name=product.seller_name, chosen=chosen)
    listed = [bar.count for bar in summary.bars if chosen in (0, bar.stars)]
    pagination = paginate(
        total=sum(listed),
        page=page,
        first=page,
        url_of=lambda number, _first: reviews_url(slug, stars=chosen, page=number),
        size=PAGE_SIZE,
    )
    if pagination is None:
        return None
    return ReviewsPage(product, summary, chosen, replace(pagination, more_url=""))


_PRODUCT = f"""
SELECT p.id, p.title, s.name,
       coalesce(nullif(image.alt, ''), p.title), {ASSET_COLUMNS},
       {LINE}
FROM {FROM_PRODUCTS}
LEFT JOIN catalog_category category ON category.id = p.category_id
LEFT JOIN LATERAL (
    SELECT picture.alt, picture.asset_id FROM catalog_productimage picture
    WHERE picture.product_id = p.id ORDER BY picture.position, picture.id LIMIT 1
) AS image ON true
LEFT JOIN catalog_imageasset asset ON asset.id = image.asset_id
WHERE p.slug = %(slug)s AND {FOR_SALE}
"""


def find_reviewed_product(slug: str) -> ReviewedProduct | None:
    """Find a product for sale by its slug."""
    row = fetch_row(_PRODUCT, {"slug": slug})
    if row is None:
        return None
    product_id, title, seller_name, *picture, line = row
    read_from(f"product:{product_id}")
    url = product_url(slug)
    return ReviewedProduct(
        id=product_id,
        title=title,
        url=url,
        seller_name=seller_name,
        breadcrumbs=(*make_crumbs(line), Crumb(label=title, url=url)),
        picture=make_picture(*picture),
    )


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who bought, as the purchase knows them."""

    user_id: int | None
    email: str


def find_buyer(product_id: int, order_number: str) -> Buyer | None:
    """Find who bought a product with an order."""
    bought = Purchase.objects.filter(product=product_id, order_number=order_number).first()
    return Buyer(bought.user_id, bought.email) if bought else None


def find_photos(asset_ids: list[int]) -> dict[int, Picture]:
    """Return pictures by the ids of their assets, in the order of these."""
    rows = fetch_rows(
        f"SELECT asset.id, {ASSET_COLUMNS} FROM catalog_imageasset asset"
        " WHERE asset.id = ANY(%(ids)s)",
        {"ids": asset_ids},
    )
    alt = _("Your photograph")
    found = {asset_id: make_picture(alt, *columns) for asset_id, *columns in rows}
    pictures = ((asset_id, found.get(asset_id)) for asset_id in asset_ids)
    return {asset_id: picture for asset_id, picture in pictures if picture}


def get_product_slug(review_id: int) -> str:
    """Return the slug of the product that a review is about, "" when it is gone."""
    found = Product.objects.filter(reviews=review_id).values_list("slug", flat=True).first()
    return found or ""


def count_waiting() -> int:
    """Return how many reviews wait for somebody to look at them."""
    return Review.objects.filter(status=Review.Status.PENDING).count()


def _fetch(product_id: int, *, limit: int, offset: int = 0, stars: int = 0) -> list[Row]:
    read_from(f"reviews:{product_id}")
    only = f"each.stars = {stars:d}" if stars else "true"
    return fetch_rows(
        _REVIEWS.format(only=only, limit=limit, offset=offset), {"product": product_id}
    )


def _sum_up(
    rows: list[Row],
    product_id: int,
    *,
    slug: str,
    seller_name: str,
    chosen: int = 0,
    excerpt: int | None = None,
) -> Reviews:
    counts: list[int] = rows[0][0]
    total = sum(counts)
    gained = sum(stars * count for stars, count in zip(STARS, counts, strict=True))
    rating = Decimal(gained) / total if total else None
    return Reviews(
        rating=rating and rating.quantize(Decimal("0.01"), ROUND_HALF_UP),
        rating_words=format_decimal(rating) if rating else "",
        count=total,
        bars=tuple(
            StarBar(
                stars=stars,
                count=count,
                percent=round(100 * count / total) if total else 0,
                url=reviews_url(slug, stars=0 if stars == chosen else stars) if count else "",
                is_chosen=stars == chosen,
            )
            for stars, count in zip(STARS, counts, strict=True)
        ),
        reviews=tuple(
            _view(row[1:], slug=slug, excerpt=excerpt) for row in rows if row[1] is not None
        ),
        seller_name=seller_name,
        url=reviews_url(slug),
        write_url=write_review_url(slug),
    )


def _view(row: Any, *, slug: str, excerpt: int | None) -> ReviewView:
    review_id, name, stars, title, text, is_verified, written_at, answer, helpful, photos = row
    shown = Truncator(text).chars(excerpt) if excerpt else text
    alt = _("Photograph by %(name)s") % {"name": name}
    pictures = (
        make_picture(alt, original, base, renditions, int(width), int(height))
        for original, base, renditions, width, height in photos
    )
    return ReviewView(
        id=review_id,
        url=review_url(slug, review_id),
        name=name,
        stars=stars,
        title=title,
        text=shown,
        is_cut=shown != text,
        is_verified=is_verified,
        written_at=written_at,
        photos=tuple(picture for picture in pictures if picture),
        answer=answer,
        helpful_count=helpful,
    )
