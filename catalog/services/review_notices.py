"""Mails about a review: decided in the transaction, written and sent by tasks."""

from __future__ import annotations

from typing import Literal

from django.conf import settings
from django.urls import reverse

from accounts.services import notifications
from catalog.access import make_buyer_key
from catalog.emails import ReviewFacts, in_language, tell_author, tell_seller_of_review
from catalog.models import Purchase, Review
from catalog.queries.links import review_url, write_review_url
from shop.services import mailer, outbox
from shop.transactions import inside_transaction, own_transaction

Kind = Literal["new", "published", "refused", "answered"]


@inside_transaction
def enqueue(review: Review, kind: Kind) -> None:
    """Decide to tell the seller (`new`) or the author, once for what the author wrote last."""
    revision = 0 if kind == "new" else review.revision
    outbox.enqueue(
        "catalog.send_review_notice",
        key=f"review:{review.pk}:{kind}:{revision}",
        review_id=review.pk,
        kind=kind,
        revision=revision,
    )


@own_transaction
def write(review_id: int, *, kind: Kind, revision: int) -> None:
    """Render a notice in its reader's language and queue it as a mail, once.

    A review that was deleted, or changed or decided otherwise meanwhile, tells nothing any more, and
    nothing is told to an author who wants no mails about reviews.
    """
    review = Review.objects.select_related("product__seller").filter(pk=review_id).first()
    if review is None or not _still_holds(review, kind, revision):
        return
    product = review.product
    facts = ReviewFacts(
        product=product.title,
        slug=product.slug,
        name=review.name,
        stars=review.stars,
        title=review.title,
        text=review.text,
        answer=review.answer,
        refusal=review.refusal,
        seller=product.seller.name,
    )
    unsubscribe_url = ""
    if kind == "new":
        recipient, language = product.seller.email or settings.SHOP_EMAIL, settings.LANGUAGE_CODE
        with in_language(language):
            url = reverse("admin:catalog_review_change", args=[review.pk])
            mail = tell_seller_of_review(facts, url=url)
    else:
        recipient, language = review.email, review.language
        choice = notifications.find_choice(recipient, "reviews", language=language)
        if not choice.is_wanted:
            return
        unsubscribe_url = choice.unsubscribe_url
        with in_language(language):
            mail = tell_author(
                facts,
                kind,
                url=review_url(product.slug, review.pk),
                write_url=write_review_url(product.slug, key=_make_key(review)),
                unsubscribe_url=unsubscribe_url,
            )
    mailer.queue_rendered(
        mail,
        kind=f"catalog.review_{kind}",
        reference=f"{review.pk}:{revision}",
        recipient=recipient,
        language=language,
        unsubscribe_url=unsubscribe_url,
    )


def _still_holds(review: Review, kind: Kind, revision: int) -> bool:
    if kind == "new":
        return review.status == Review.Status.PUBLISHED
    status = Review.Status.REFUSED if kind == "refused" else Review.Status.PUBLISHED
    return review.revision == revision and review.status == status


def _make_key(review: Review) -> str:
    """Let a guest in again; somebody with an account signs in instead."""
    if review.author_id:
        return ""
    bought = Purchase.objects.filter(product=review.product_id, email=review.email).first()
    return make_buyer_key(review.product_id, bought.order_number) if bought else ""
