"""What the catalogue holds of a person: reviews, votes, wishlists, wishes to be told, purchases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.archive import Archive, Row
from accounts.erasure import ErasureRun
from accounts.person import Person
from catalog.models import (
    Category,
    Collection,
    HelpfulVote,
    ImageAsset,
    PictureSource,
    Product,
    ProductImage,
    Purchase,
    RestockRequest,
    Review,
    ReviewPhoto,
    SearchRecord,
    Wishlist,
)
from catalog.renditions import EXTENSIONS
from catalog.search.text import split_words
from catalog.services import reviews
from shop.services import outbox
from shop.services.changes import announce
from shop.services.forgetting import forget_mails
from shop.transactions import inside_transaction, no_transaction

SHORTEST_NAME = 4


def export(person: Person, archive: Archive) -> None:
    """Add what somebody said, liked, wished for and bought; photographs come as files."""
    written = list(_reviews_of(person).select_related("product").prefetch_related("photos__asset"))
    archive.add("reviews", _("Reviews"), (_describe(review) for review in written))
    for review in written:
        for photo in review.photos.all():
            name = photo.asset.original.name or ""
            archive.add_file(_name_of(photo), lambda name=name: _read(name))  # type: ignore[misc]
    votes = HelpfulVote.objects.filter(person.by_account("user")).order_by("pk")
    archive.add(
        "votes",
        _("Reviews that you found helpful"),
        (
            {"product": vote.review.product.title, "happened_at": vote.created_at}
            for vote in votes.select_related("review__product")
        ),
    )
    archive.add("wishlists", _("Wishlists"), _list_wishlists(person))
    archive.add("restock", _("Back in stock"), _list_wishes(person))
    bought = Purchase.objects.filter(person.own_or_guest(user="user", email="email"))
    archive.add(
        "purchases",
        _("What you may review as its buyer"),
        (
            {
                "product": purchase.product.title,
                "number": purchase.order_number,
                "email": purchase.email,
                "bought_at": purchase.bought_at,
            }
            for purchase in bought.select_related("product").order_by("pk")
        ),
    )


@inside_transaction
def erase(run: ErasureRun) -> None:
    """Delete all of it; ratings and votes of what stays are counted anew. Locks products, reviews."""
    person = run.person
    _erase_votes(run)
    _erase_reviews(run)
    for rows in (
        Wishlist.objects.filter(person.by_account("owner")),
        RestockRequest.objects.filter(person.by_email("email")),
        Purchase.objects.filter(person.own_or_guest(user="user", email="email")),
        SearchRecord.objects.filter(_was_looked_for(person)),
    ):
        run.count(rows.model._meta.label, rows.count())
        rows.delete()


@no_transaction
def delete_files(originals: Iterable[str], bases: Iterable[str]) -> None:
    """Delete pictures from the storage, with their renditions; one that came back is left alone."""
    for name in originals:
        default_storage.delete(name)
    for base in bases:
        if ImageAsset.objects.filter(base=base).exists():
            continue
        folder, _slash, start = base.rpartition("/")
        try:
            _folders, files = default_storage.listdir(folder)
        except FileNotFoundError:
            continue
        endings = tuple(f".{ending}" for ending in EXTENSIONS.values())
        for file in files:
            if file.startswith(f"{start}-") and file.endswith(endings):
                default_storage.delete(f"{folder}/{file}")


def _reviews_of(person: Person) -> Any:
    return Review.objects.filter(person.own_or_guest(user="author", email="email")).order_by("pk")


def _erase_votes(run: ErasureRun) -> None:
    votes = HelpfulVote.objects.filter(run.person.by_account("user"))
    ids = list(votes.order_by("review_id").values_list("review_id", flat=True))
    if not ids:
        return
    locked = Review.objects.select_for_update(of=["self"]).filter(pk__in=ids).order_by("pk")
    products = set(locked.values_list("product_id", flat=True))
    Review.objects.filter(pk__in=ids).update(helpful_count=F("helpful_count") - 1)
    run.count("catalog.HelpfulVote", votes.delete()[0])
    announce(*(f"reviews:{product}" for product in sorted(products)))


def _erase_reviews(run: ErasureRun) -> None:
    written = list(_reviews_of(run.person).values_list("pk", "product_id"))
    products = sorted({product for _pk, product in written})
    list(Product.objects.select_for_update(no_key=True).filter(pk__in=products).order_by("pk"))
    photos = ReviewPhoto.objects.filter(review__in=[pk for pk, _product in written])
    assets = sorted(set(photos.values_list("asset_id", flat=True)))
    run.count("catalog.ReviewPhoto", photos.count())
    run.count("catalog.Review", len(written))
    for pk, _product in written:
        forget_mails(Q(kind__startswith="catalog.review_", reference__startswith=f"{pk}:"))
        reviews.delete(pk)
    _erase_pictures(run, assets)


def _erase_pictures(run: ErasureRun, asset_ids: list[int]) -> None:
    """Delete pictures that nothing shows any more; their files go after the commit."""
    used: set[int] = set()
    for model, column in (
        (ReviewPhoto, "asset"), (ProductImage, "asset"), (PictureSource, "asset"),
        (Category, "image"), (Collection, "image"),
    ):  # fmt: skip
        rows = model._default_manager.filter(**{f"{column}__in": asset_ids})
        used |= set(rows.values_list(f"{column}_id", flat=True))
    gone = list(ImageAsset.objects.filter(pk__in=set(asset_ids) - used).order_by("pk"))
    if not gone:
        return
    outbox.enqueue(
        "catalog.delete_files",
        key=f"files:{gone[0].pk}:{len(gone)}",
        originals=[asset.original.name for asset in gone],
        bases=[asset.base for asset in gone if asset.base],
    )
    run.count("catalog.ImageAsset", len(gone))
    ImageAsset.objects.filter(pk__in=[asset.pk for asset in gone]).delete()


def _was_looked_for(person: Person) -> Q:
    """Return the condition for searches by somebody's own address or name."""
    names = [name for name in person.names if len(name) >= SHORTEST_NAME and " " in name]
    condition = Q(pk__in=[])
    for text in sorted([*person.emails, *names]):
        if words := " ".join(split_words(text)):
            condition |= Q(words__icontains=words)
    return condition


def _describe(review: Review) -> Row:
    return {
        "product": review.product.title,
        "name": review.name,
        "email": review.email,
        "stars": review.stars,
        "title": review.title,
        "text": review.text,
        "language": review.language,
        "status": str(review.get_status_display()),
        "reason": review.refusal,
        "answer": review.answer,
        "reviewed_at": review.created_at,
        "photos": [_name_of(photo) for photo in review.photos.all()],
    }


def _name_of(photo: ReviewPhoto) -> str:
    ending = (photo.asset.original.name or "").rpartition(".")[2] or "bin"
    return f"photos/review-{photo.review_id}-{photo.position + 1}.{ending}"


def _read(name: str) -> bytes:
    """Read a picture; one whose file is lost leaves an empty one rather than no copy at all."""
    if not name or not default_storage.exists(name):
        return b""
    with default_storage.open(name) as file:
        content: bytes = file.read()
        return content


def _list_wishlists(person: Person) -> Iterator[Row]:
    lists = Wishlist.objects.filter(person.by_account("owner")).order_by("pk")
    for wishlist in lists.prefetch_related("items__variant__product"):
        key = wishlist.share_key
        yield {
            "name": str(wishlist),
            "created_at": wishlist.created_at,
            "share_link": reverse("catalog:shared_wishlist", args=[key]) if key else "",
            "items": [
                {"product": item.variant.product.title, "sku": item.variant.sku}
                for item in wishlist.items.all()
            ],
        }


def _list_wishes(person: Person) -> Iterator[Row]:
    wishes = RestockRequest.objects.filter(person.by_email("email")).order_by("pk")
    for wish in wishes.select_related("variant__product"):
        yield {
            "product": wish.variant.product.title,
            "email": wish.email,
            "asked_at": wish.asked_at,
            "confirmed_at": wish.confirmed_at,
            "told_at": wish.told_at,
        }
