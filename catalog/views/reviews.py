"""Reviews: all of a product for everybody, the form for one's own, a vote for another's."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog import queries
from catalog.access import make_photo_key, read_buyer_key
from catalog.errors import ImageRefused, PictureNotStored
from catalog.forms import ReviewForm, VoteForm
from catalog.models import Review
from catalog.queries import reviews as review_queries
from catalog.queries.links import review_url
from catalog.queries.pagination import read_page
from catalog.queries.reviews import ReviewedProduct
from catalog.services import media, reviews
from catalog.services.reviews import Author, Words
from catalog.views.limits import may_send
from shop.errors import ShopError
from shop.requests import HtmxRequest
from shop.services.limits import Verdict
from shop.views.caching import public_page
from shop.views.limited import mark
from shop.views.same_origin import same_origin_required


@public_page
def listing(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what everybody says of a product, perhaps only those who gave it so many stars."""
    stars = request.GET.get("stars", "")
    page = review_queries.get_reviews_page(
        slug,
        page=read_page(request.GET.get("page", "")),
        stars=int(stars) if stars in {"1", "2", "3", "4", "5"} else 0,
    )
    if page is None:
        raise Http404
    return render(request, "catalog/reviews.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def write(request: HttpRequest, slug: str) -> HttpResponse:
    """Take somebody's review in, or show it to be changed.

    Whoever is signed in may write; a guest needs the link from their order's page.
    """
    product = review_queries.find_reviewed_product(slug)
    if product is None:
        raise Http404
    key = request.POST.get("key") or request.GET.get("key", "")
    author = _find_author(request, product, key)
    if author is None:
        return redirect_to_login(request.get_full_path())
    mine = _find_own(product, author)
    verdict = Verdict(is_allowed=True)
    if request.method == "POST":
        kept = () if mine is None else _photo_ids(mine)
        form = ReviewForm(request.POST, request.FILES, kept=kept)
        if form.is_valid():
            verdict = may_send(request, form, action="review")
        if not form.errors and _take_photos_in(form):
            reviews.write(
                product.id,
                author=author,
                words=_words(form),
                language=get_language() or "",
            )
            return redirect(
                f"{request.path}?{urlencode({'sent': 1, **({'key': key} if key else {})})}"
            )
    else:
        form = ReviewForm(initial=_initial(request, mine), kept=_photo_ids(mine) if mine else ())
    context = {"product": product, "form": form, "key": key, "review": mine}
    if mine and request.GET.get("sent"):
        return render(request, "catalog/review_sent.html", context)
    context["photos"] = _list_kept(form)
    answer = render(request, "catalog/review.html", context)
    return answer if verdict.is_allowed else mark(answer, verdict)


@require_POST
@same_origin_required
def helpful(request: HtmxRequest, review_id: int) -> HttpResponse:
    """Count the vote of somebody who is signed in, then show the review, or to htmx the new count."""
    slug = review_queries.get_product_slug(review_id)
    if not slug:
        raise Http404
    place = review_url(slug, review_id)
    form = VoteForm(request.POST)
    if not request.user.is_authenticated:
        answer = redirect_to_login(place)
        return HttpResponse(headers={"HX-Redirect": answer["Location"]}) if request.htmx else answer
    context: dict[str, object] = {"review_id": review_id, "is_theirs": True}
    try:
        is_helpful = form.is_valid() and form.is_helpful
        context["count"] = reviews.vote(review_id, user=request.user, is_helpful=is_helpful)
        context["has_voted"] = is_helpful
    except ShopError as refusal:
        context["refusal"] = str(refusal)
    if request.htmx:
        return render(request, "components/helpful.html", context)
    return redirect(place)


def _find_author(request: HttpRequest, product: ReviewedProduct, key: str) -> Author | None:
    if request.user.is_authenticated:
        return Author(user_id=request.user.pk, email=request.user.email)
    number = read_buyer_key(product.id, key)
    buyer = review_queries.find_buyer(product.id, number) if number else None
    return Author(user_id=buyer.user_id, email=buyer.email) if buyer else None


def _find_own(product: ReviewedProduct, author: Author) -> Review | None:
    return author.find_reviews(product.id).prefetch_related("photos").first()


def _photo_ids(review: Review) -> list[int]:
    return [photo.asset_id for photo in review.photos.all()]


def _initial(request: HttpRequest, mine: Review | None) -> dict[str, object]:
    if mine is None:
        name = getattr(request.user, "name", "")
        return {"name": name.split(" ")[0]}
    return {"stars": mine.stars, "title": mine.title, "text": mine.text, "name": mine.name}


def _take_photos_in(form: ReviewForm) -> bool:
    """Store what was sent, and say whether all of it are pictures; those that are stay either way."""
    for file in form.cleaned_data["photos"]:
        try:
            form.kept.append(media.add_image(file).pk)
        except (ImageRefused, PictureNotStored) as refusal:
            form.add_error("photos", _name(file, refusal))
    return not form.errors


def _name(file: UploadedFile, refusal: ShopError) -> str:
    return _("“%(file)s”: %(refusal)s") % {"file": file.name, "refusal": refusal}


def _words(form: ReviewForm) -> Words:
    cleaned = form.cleaned_data
    return Words(
        name=" ".join(cleaned["name"].split()),
        stars=int(cleaned["stars"]),
        title=" ".join(cleaned["title"].split()),
        text=cleaned["text"],
        photo_ids=form.kept,
    )


def _list_kept(form: ReviewForm) -> list[tuple[str, queries.Picture]]:
    """Pair the photographs that the form has already with what stands for them in it."""
    pictures = review_queries.find_photos(form.kept)
    return [
        (make_photo_key(number), pictures[number]) for number in form.kept if number in pictures
    ]
