"""Reviews: who may write, who decides, what everybody sees, and what the numbers say."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core import mail as outgoing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from PIL import Image

from accounts.models import User
from catalog.access import make_buyer_key, read_buyer_key
from catalog.errors import ReviewRefused
from catalog.models import ImageAsset, Product, Purchase, Review
from catalog.services import purchases, reviews
from catalog.services.reviews import Author, Words
from shop.clock import now
from shop.limits import ACTIONS, HOUR, Action, Limit
from shop.models import Mail
from tests.factories.accounts import StaffFactory, UserFactory
from tests.factories.catalog import BuyableProductFactory
from tests.forms import submit
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db
GOOD = {"stars": "4", "title": "Sits well in the hand", "text": "Every morning.", "name": "Ada"}


@pytest.fixture
def mug(settings: Any, tmp_path: Any) -> Product:
    settings.MEDIA_ROOT = tmp_path
    return BuyableProductFactory(
        slug="dune-mug", title="Dune mug", seller__email="haven@example.com"
    )


@pytest.fixture
def ada() -> User:
    return UserFactory(email="ada@example.com", name="Ada Lovelace")


@pytest.fixture
def browser(ada: User) -> Client:
    client = Client()
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    return client


WRITE = "/products/dune-mug/reviews/write/"


def photograph(format: str = "JPEG", **options: Any) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (640, 480), "tan").save(buffer, format, **options)
    return buffer.getvalue()


def upload(name: str = "mug.jpg", content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, photograph() if content is None else content)


def buy(product: Product, *, user: User | None = None, email: str = "ada@example.com") -> None:
    with transaction.atomic():
        purchases.record(
            [product.pk],
            order_number="7KQ2MXA9",
            user_id=user.pk if user else None,
            email=email,
            bought_at=now(),
        )


def write(product: Product, user: User, *, stars: int = 4) -> Review:
    words = Words(name="Ada", stars=stars, title="Fine", text="Good.")
    return reviews.write(product.pk, author=Author(user.pk, user.email), words=words, language="en")


def publish(review: Review) -> None:
    with transaction.atomic():
        reviews.publish(review.pk, by=StaffFactory())


def refuse(review: Review, reason: str = "It is about another mug.") -> None:
    with transaction.atomic():
        reviews.refuse(review.pk, reason=reason, by=StaffFactory())


def rating(product: Product) -> tuple[Decimal | None, int]:
    product.refresh_from_db()
    return product.rating, product.rating_count


def told() -> list[tuple[str, str]]:
    deliver_outbox()
    return list(Mail.objects.order_by("pk").values_list("kind", "recipient"))


# Writing -------------------------------------------------------------------------------------------


def test_a_review_waits_until_somebody_has_read_it(client, browser, mug, ada) -> None:
    answer = browser.post(WRITE, GOOD)

    assert (answer.status_code, answer["Location"]) == (302, f"{WRITE}?sent=1")
    review = Review.objects.get()
    assert (review.author, review.stars, review.text) == (ada, 4, "Every morning.")
    assert (review.status, review.is_verified) == ("pending", False)
    assert "Every morning." not in client.get("/products/dune-mug/").content.decode()
    assert rating(mug) == (None, 0)
    assert "We read it soon" in browser.get(answer["Location"]).content.decode()


def test_a_stranger_is_asked_to_sign_in_and_comes_back(client, mug) -> None:
    answer = client.get(WRITE)

    assert answer["Location"] == f"/accounts/login/?next={WRITE}"


def test_nothing_typed_is_told_field_by_field_and_nothing_is_kept_from_the_next_try(
    browser, mug
) -> None:
    page = browser.post(WRITE, {"title": "Sits <well>", "stars": "9"}).content.decode()

    assert "Sits &lt;well&gt;" in page
    for words, field in {
        "Choose one to five stars.": "id_stars_0",
        "Write what you think of it": "id_text",
        "Enter a name": "id_name",
    }.items():
        assert words in page
        assert f'href="#{field}"' in page
    assert Review.objects.count() == 0


def test_a_second_review_of_the_same_thing_changes_the_first(browser, mug) -> None:
    browser.post(WRITE, GOOD)
    form = browser.get(WRITE).content.decode()
    browser.post(WRITE, GOOD | {"stars": "2", "text": "The glaze came off."})

    assert "Every morning." in form
    review = Review.objects.get()
    assert (review.stars, review.text, review.revision) == (2, "The glaze came off.", 2)


def test_who_writes_again_and_again_is_asked_to_wait(browser, mug, monkeypatch) -> None:
    monkeypatch.setitem(ACTIONS, "review", Action((Limit("person", 1, HOUR),)))
    office = {"REMOTE_ADDR": "203.0.113.7"}
    browser.post(WRITE, GOOD, **office)

    page = browser.post(WRITE, GOOD | {"stars": "1", "photos": [upload()]}, **office)

    assert page.status_code == 429
    assert 3000 <= int(page["Retry-After"]) <= 3600
    assert "often in a short time" in page.content.decode()
    assert "Every morning." in page.content.decode()
    assert (Review.objects.get().revision, ImageAsset.objects.count()) == (1, 0)


def test_a_review_written_as_a_guest_under_a_new_address_is_left_beside_ones_own(mug, ada) -> None:
    own = write(mug, ada, stars=4)
    words = Words(name="Ada", stars=2, title="", text="As a guest.")
    guest = Author(user_id=None, email="countess@example.com")
    reviews.write(mug.pk, author=guest, words=words, language="en")
    ada.email = "countess@example.com"
    ada.save()

    again = write(mug, ada, stars=5)

    assert (again.pk, again.stars) == (own.pk, 5)


def test_a_changed_review_is_read_again_before_others_see_it(browser, mug) -> None:
    browser.post(WRITE, GOOD)
    publish(Review.objects.get())
    assert rating(mug) == (Decimal("4.00"), 1)

    browser.post(WRITE, GOOD | {"text": "I changed my mind."})

    assert Review.objects.get().status == "pending"
    assert rating(mug) == (None, 0)


def test_who_bought_it_here_is_marked_whether_as_member_or_as_guest_before(
    browser, mug, ada
) -> None:
    buy(mug, email="Ada@Example.com")

    browser.post(WRITE, GOOD)

    assert Review.objects.get().is_verified


def test_a_review_that_came_before_the_purchase_is_marked_afterwards(browser, mug, ada) -> None:
    browser.post(WRITE, GOOD)

    buy(mug, user=ada, email="work@example.com")

    assert Review.objects.get().is_verified


def test_telling_the_same_order_twice_records_it_once(mug) -> None:
    buy(mug)
    buy(mug)

    assert Purchase.objects.count() == 1


@pytest.mark.parametrize(("bought", "status"), [(True, "published"), (False, "pending")])
def test_the_shop_may_let_buyers_reviews_out_at_once(
    browser, mug, ada, settings, bought: bool, status: str
) -> None:
    settings.SHOP_REVIEWS_AT_ONCE = True
    if bought:
        buy(mug, user=ada)

    browser.post(WRITE, GOOD)

    assert Review.objects.get().status == status
    assert rating(mug) == ((Decimal("4.00"), 1) if bought else (None, 0))


# Guests --------------------------------------------------------------------------------------------


def test_a_guest_writes_by_the_link_of_their_order(client, mug) -> None:
    buy(mug, email="guest@example.com")
    key = make_buyer_key(mug.pk, "7KQ2MXA9")

    page = client.get(WRITE, {"key": key})
    answer = submit(client, page, WRITE, GOOD)

    assert page.status_code == 200
    assert answer.status_code == 302
    review = Review.objects.get()
    assert (review.author, review.email, review.is_verified) == (None, "guest@example.com", True)


@pytest.mark.parametrize("key", ["", "7KQ2MXA9", "7KQ2MXA9.nonsense", "\0", ".", "x" * 9000])
def test_a_made_up_link_opens_nothing(client, mug, key: str) -> None:
    buy(mug, email="guest@example.com")

    assert client.get(WRITE, {"key": key}).status_code == 302
    assert Client().post(WRITE, GOOD | {"key": key}).status_code == 302
    assert Review.objects.count() == 0


def test_the_link_for_one_product_does_not_open_another() -> None:
    key = make_buyer_key(1, "7KQ2MXA9")

    assert read_buyer_key(1, key) == "7KQ2MXA9"
    assert read_buyer_key(11, key) == ""


# Photographs ---------------------------------------------------------------------------------------


def test_photographs_are_encoded_anew_and_shown_with_the_review(client, browser, mug) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    browser.post(
        WRITE,
        GOOD
        | {"photos": [upload(content=photograph(exif=exif)), upload("b.png", photograph("PNG"))]},
    )
    review = Review.objects.get()
    publish(review)
    deliver_outbox()

    assets = [photo.asset for photo in review.photos.all()]
    assert len(assets) == 2
    assert b"taken at home" not in assets[0].original.read()
    page = client.get("/products/dune-mug/reviews/").content.decode()
    assert page.count('class="review__photo"') == 2
    assert f"{assets[0].base}-480.avif" in page


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("script.jpg", b"<script>alert(1)</script>"),
        ("empty.jpg", b""),
        ("cut.jpg", photograph()[:200]),
        ("page.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
    ],
)
def test_what_is_no_picture_is_refused_by_its_name_and_the_others_are_kept(
    browser, mug, name: str, content: bytes
) -> None:
    answer = browser.post(WRITE, GOOD | {"photos": [upload(), upload(name, content)]})

    page = answer.content.decode()
    assert answer.status_code == 200
    assert name in page or "empty" in page
    assert 'href="#id_photos"' in page
    assert Review.objects.count() == 0
    if content:
        assert page.count('name="kept"') == 1


def test_a_picture_with_more_pixels_than_can_be_held_is_refused(browser, mug) -> None:
    buffer = BytesIO()
    Image.new("1", (12_000, 11_000)).save(buffer, "PNG")

    answer = browser.post(WRITE, GOOD | {"photos": [upload("bomb.png", buffer.getvalue())]})

    assert "more than 40 million pixels" in answer.content.decode()
    assert ImageAsset.objects.count() == 0


def test_more_than_four_photographs_are_too_many(browser, mug) -> None:
    answer = browser.post(WRITE, GOOD | {"photos": [upload(f"{n}.jpg") for n in range(5)]})

    assert "There is room for 4 more photographs." in answer.content.decode()
    assert Review.objects.count() == 0


def test_photographs_are_taken_off_by_their_ticks(browser, mug) -> None:
    browser.post(WRITE, GOOD | {"photos": [upload(), upload("b.png", photograph("PNG"))]})
    page = browser.get(WRITE)
    first = page.context["photos"][0][0]

    browser.post(WRITE, GOOD | {"kept": [first, "999999.nonsense", "\0"]})

    assert Review.objects.get().photos.count() == 1


# Decisions -----------------------------------------------------------------------------------------


def test_the_rating_is_the_mean_of_what_is_published(mug) -> None:
    for stars in (5, 4, 4):
        publish(write(mug, UserFactory(), stars=stars))
    write(mug, UserFactory(), stars=1)

    assert rating(mug) == (Decimal("4.33"), 3)

    refuse(Review.objects.get(stars=5))
    assert rating(mug) == (Decimal("4.00"), 2)


def test_seller_and_author_are_told_once_that_a_review_is_published(mug, ada) -> None:
    review = write(mug, ada)

    publish(review)
    publish(review)

    assert told() == [
        ("catalog.review_new", "haven@example.com"),
        ("catalog.review_published", "ada@example.com"),
    ]
    assert not outgoing.outbox or all(ada.email not in m.body for m in outgoing.outbox)


def test_the_author_of_a_refused_review_reads_why(mug, ada) -> None:
    refuse(write(mug, ada))

    assert told() == [("catalog.review_refused", "ada@example.com")]
    assert "It is about another mug." in Mail.objects.get().text


def test_a_refusal_needs_a_reason(mug, ada) -> None:
    review = write(mug, ada)

    with pytest.raises(ReviewRefused):
        refuse(review, "  ")

    review.refresh_from_db()
    assert review.status == "pending"


def test_an_answer_stands_below_the_review_and_the_author_hears_of_it(client, mug, ada) -> None:
    review = write(mug, ada)
    publish(review)

    with transaction.atomic():
        reviews.answer(review.pk, text="Thank you, <Ada>.")

    page = client.get("/products/dune-mug/").content.decode()
    assert "Thank you, &lt;Ada&gt;." in page
    assert told()[-1] == ("catalog.review_answered", "ada@example.com")
    assert "Thank you, <Ada>." in Mail.objects.latest("pk").text


def test_a_deleted_review_counts_no_more(mug, ada) -> None:
    review = write(mug, ada)
    publish(review)

    with transaction.atomic():
        reviews.delete(review.pk)

    assert rating(mug) == (None, 0)


# What everybody sees -------------------------------------------------------------------------------


def test_the_products_page_shows_the_first_three_and_the_rest_is_a_link_away(client, mug) -> None:
    for number in range(14):
        publish(write(mug, UserFactory(), stars=1 + number % 5))

    product = client.get("/products/dune-mug/").context["product"]
    page = client.get("/products/dune-mug/reviews/").context["page"]
    last = client.get("/products/dune-mug/reviews/?page=2").context["page"]

    assert len(product.reviews.reviews) == 3
    assert (len(page.summary.reviews), len(last.summary.reviews)) == (12, 2)
    assert [(bar.stars, bar.count, bar.percent) for bar in page.summary.bars] == [
        (5, 2, 14), (4, 3, 21), (3, 3, 21), (2, 3, 21), (1, 3, 21),
    ]  # fmt: skip
    assert client.get("/products/dune-mug/reviews/?page=3").status_code == 404


def test_only_those_with_so_many_stars_are_listed_when_asked_for(client, mug) -> None:
    for stars in (5, 5, 2):
        publish(write(mug, UserFactory(), stars=stars))

    page = client.get("/products/dune-mug/reviews/?stars=5").context["page"]

    assert [review.stars for review in page.summary.reviews] == [5, 5]
    assert page.summary.count == 3


@pytest.mark.parametrize(
    "query", ["stars=9", "stars=x", "page=0", "page=-1", "stars=5", "page=%00"]
)
def test_any_question_is_answered(client, mug, query: str) -> None:
    assert client.get(f"/products/dune-mug/reviews/?{query}").status_code == 200


def test_a_product_that_is_not_for_sale_has_no_reviews_page(client, mug) -> None:
    Product.objects.update(status=Product.Status.DRAFT)

    assert client.get("/products/dune-mug/reviews/").status_code == 404
    assert client.get(WRITE).status_code == 404


# Votes ---------------------------------------------------------------------------------------------


def test_a_vote_counts_once_and_can_be_taken_back(mug, ada, browser) -> None:
    review = write(mug, UserFactory())
    publish(review)
    address = f"/reviews/{review.pk}/helpful/"

    for _twice in range(2):
        answer = browser.post(address)
    review.refresh_from_db()
    counted = review.helpful_count
    fragment = browser.post(address, {"helpful": "0"}, headers={"HX-Request": "true"})

    assert answer["Location"] == f"/products/dune-mug/reviews/#review-{review.pk}"
    review.refresh_from_db()
    assert (counted, review.helpful_count) == (1, 0)
    assert 'aria-pressed="false"' in fragment.content.decode()


def test_nobody_votes_for_themselves_nor_for_what_is_not_shown(mug, ada, browser) -> None:
    own, waiting = write(mug, ada), write(mug, UserFactory())
    publish(own)

    for review in (own, waiting):
        browser.post(f"/reviews/{review.pk}/helpful/")

    assert set(Review.objects.values_list("helpful_count", flat=True)) == {0}


def test_a_stranger_signs_in_before_voting(client, mug) -> None:
    review = write(mug, UserFactory())
    publish(review)

    answer = client.post(f"/reviews/{review.pk}/helpful/")
    quiet = client.post(f"/reviews/{review.pk}/helpful/", headers={"HX-Request": "true"})

    assert answer["Location"].startswith("/accounts/login/?next=/products/dune-mug/reviews/")
    assert quiet["HX-Redirect"] == answer["Location"]
    assert Review.objects.get().helpful_count == 0


def test_another_site_cannot_vote_in_somebodys_name(mug, browser) -> None:
    review = write(mug, UserFactory())
    publish(review)

    answer = browser.post(
        f"/reviews/{review.pk}/helpful/", headers={"Origin": "https://evil.example"}
    )

    assert answer.status_code == 403
    assert Review.objects.get().helpful_count == 0
