"""Reviews: written by shoppers, published or refused by staff, answered by the seller.

Each function locks the product, then the review; the product's `rating` and `rating_count` are those
of its published reviews at the end of every transaction (invariant C5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from catalog.errors import ReviewChanged, ReviewRefused
from catalog.models import HelpfulVote, Product, Purchase, Review, ReviewPhoto
from catalog.services import review_notices
from shop.clock import now
from shop.locking import retry_when_busy
from shop.services.changes import announce
from shop.transactions import inside_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User

Status = Review.Status
MOST_PHOTOS = 4


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: somebody with an account, or a guest with the email of their order."""

    user_id: int | None
    email: str

    @property
    def is_author(self) -> Q:
        return Q(email=self.email.lower()) | Q(author_id=self.user_id, author__isnull=False)

    @property
    def is_buyer(self) -> Q:
        return Q(email=self.email.lower()) | Q(user_id=self.user_id, user__isnull=False)

    def find_reviews(self, product_id: int) -> QuerySet[Review]:
        """Find what they wrote of a product: by their account first, then as a guest."""
        rows = Review.objects.filter(self.is_author, product=product_id)
        return rows.order_by(F("author_id").desc(nulls_last=True))


@dataclass(frozen=True, slots=True)
class Words:
    """What a review says; `photo_ids` are those of stored pictures, in their order."""

    name: str
    stars: int
    title: str
    text: str
    photo_ids: Sequence[int] = ()


@retry_when_busy
@own_transaction
def write(product_id: int, *, author: Author, words: Words, language: str) -> Review:
    """Write a review, or write it anew: a person has one of each product.

    It waits for moderation, unless the author bought the product here and the shop lets buyers'
    reviews out at once (`SHOP_REVIEWS_AT_ONCE`). Raises `shop.errors.BusyError`.
    """
    # Two tabs that send at once wait here for each other: the second one changes the first's review.
    Product.objects.select_for_update(no_key=True).only("pk").get(pk=product_id)
    review = author.find_reviews(product_id).select_for_update(of=["self"]).first() or Review(
        product_id=product_id, author_id=author.user_id, email=author.email.lower(), revision=0
    )
    bought = Purchase.objects.filter(author.is_buyer, product=product_id)
    review.author_id = review.author_id or author.user_id
    review.is_verified = bought.exists()
    review.language = language
    review.name, review.stars = words.name, words.stars
    review.title, review.text = words.title, words.text
    review.revision += 1
    review.refusal = ""
    review.status, review.decided_by = Status.PENDING, None
    review.save()
    if review.is_verified and settings.SHOP_REVIEWS_AT_ONCE:
        _publish(review, by=None)
    _set_photos(review, words.photo_ids)
    rate(product_id)
    return review


@inside_transaction
def publish(review_id: int, *, by: User, revision: int | None = None) -> bool:
    """Let everybody read a review; say whether this call did it. The author is told.

    `revision` is the one that was read: raises `ReviewChanged` when another stands there now.
    """
    review = _lock(review_id)
    _require(review, revision)
    if review.status == Status.PUBLISHED:
        return False
    _publish(review, by=by)
    review_notices.enqueue(review, "published")
    rate(review.product_id)
    return True


@inside_transaction
def refuse(review_id: int, *, reason: str, by: User, revision: int | None = None) -> bool:
    """Keep or take a review from the pages; say whether this call did it. The author is told why.

    Raises `ReviewRefused` without a reason, and `ReviewChanged` as publishing does.
    """
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise ReviewRefused(_("Say why: the author reads it."))
    review = _lock(review_id)
    _require(review, revision)
    if review.status == Status.REFUSED:
        return False
    review.status, review.refusal, review.decided_by = Status.REFUSED, reason, by
    review.save()
    review_notices.enqueue(review, "refused")
    rate(review.product_id)
    return True


@inside_transaction
def answer(review_id: int, *, text: str) -> bool:
    """Set what the seller says to a review, or take it back with ""; say whether that is new.

    The author is told of the first answer to what they wrote, once the review is published.
    """
    review = _lock(review_id)
    text = text.strip()
    if review.answer == text:
        return False
    review.answer, review.answered_at = text, now() if text else None
    review.save()
    if text and review.status == Status.PUBLISHED:
        review_notices.enqueue(review, "answered")
    announce(f"reviews:{review.product_id}")
    return True


@retry_when_busy
@own_transaction
def vote(review_id: int, *, user: User, is_helpful: bool) -> int:
    """Count somebody's vote for a review, or take it back; return how many have voted.

    Voting twice counts once. Raises `ReviewRefused` when it is not published, or their own.
    """
    review = Review.objects.select_for_update().filter(pk=review_id).first()
    if review is None or review.status != Status.PUBLISHED:
        raise ReviewRefused(_("This review is not here any more."))
    if review.author_id == user.pk or review.email == user.email.lower():
        raise ReviewRefused(_("This is your own review: others say whether it is helpful."))
    if is_helpful:
        _vote, is_changed = HelpfulVote.objects.get_or_create(review=review, user=user)
    else:
        is_changed = bool(HelpfulVote.objects.filter(review=review, user=user).delete()[0])
    if is_changed:
        review.helpful_count += 1 if is_helpful else -1
        review.save(update_fields=["helpful_count"])
        announce(f"reviews:{review.product_id}")
    return review.helpful_count


@inside_transaction
def delete(review_id: int) -> None:
    """Delete a review with its votes; its photographs stay stored."""
    review = _lock(review_id)
    review.delete()
    rate(review.product_id)


def _lock(review_id: int) -> Review:
    """Lock the product, then the review: the order in which writing one takes them."""
    product = Review.objects.filter(pk=review_id).values("product_id")
    Product.objects.select_for_update(no_key=True).only("pk").get(pk__in=product)
    return Review.objects.select_for_update().get(pk=review_id)


def _require(review: Review, revision: int | None) -> None:
    if revision is not None and review.revision != revision:
        raise ReviewChanged(_("The author changed this review meanwhile; please read it again."))


def _publish(review: Review, *, by: User | None) -> None:
    """Publish a locked review; the seller hears of it the first time."""
    is_first = review.published_at is None
    review.status, review.refusal, review.decided_by = Status.PUBLISHED, "", by
    review.published_at = review.published_at or now()
    review.save()
    if is_first:
        review_notices.enqueue(review, "new")


def _set_photos(review: Review, photo_ids: Sequence[int]) -> None:
    wanted = list(dict.fromkeys(photo_ids))[:MOST_PHOTOS]
    review.photos.exclude(asset__in=wanted).delete()
    for position, asset_id in enumerate(wanted):
        ReviewPhoto.objects.update_or_create(
            review=review, asset_id=asset_id, defaults={"position": position}
        )


_RATE = """
UPDATE catalog_product AS product SET rating = published.rating, rating_count = published.count
FROM (
    SELECT round(avg(stars), 2) AS rating, count(*) AS count
    FROM catalog_review WHERE product_id = %(product)s AND status = 'published'
) AS published
WHERE product.id = %(product)s
  AND (product.rating, product.rating_count) IS DISTINCT FROM (published.rating, published.count)
RETURNING product.id
"""


@inside_transaction
def rate(product_id: int) -> None:
    """Repeat on a product, which the caller has locked, how its published reviews rate it."""
    with connection.cursor() as cursor:
        cursor.execute(_RATE, {"product": product_id})
        is_changed = cursor.fetchone() is not None
    announce(f"reviews:{product_id}", *([f"product:{product_id}"] if is_changed else []))
