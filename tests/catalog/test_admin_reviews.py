"""Reviews in the admin: staff decide, one by one or many at once; sellers answer their own alone."""

from __future__ import annotations

import pytest

from accounts.models import SellerMember
from catalog.models import Review
from shop.models import Mail
from tests.admin_forms import errors, sign_in, submit
from tests.factories.accounts import SellerMemberFactory
from tests.factories.catalog import ReviewFactory
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db
LIST = "/admin/catalog/review/"


def page_of(review: Review) -> str:
    return f"{LIST}{review.pk}/change/"


def choose(action: str, *reviews: Review, **typed: object) -> dict[str, object]:
    return {"action": action, "_selected_action": [review.pk for review in reviews], **typed}


def read(*reviews: Review) -> list[str]:
    """Give what the page that asks about these reviews says it has shown."""
    return [f"{review.pk}:{review.revision}" for review in reviews]


def status(review: Review) -> str:
    review.refresh_from_db()
    return review.status


def test_staff_publish_refuse_and_answer_on_one_page() -> None:
    review = ReviewFactory(published=False)
    boss = sign_in()

    wrong = submit(boss, page_of(review), decision="refuse")
    assert errors(wrong) == ["Say why: the author reads it."]
    assert status(review) == "pending"

    submit(boss, page_of(review), decision="publish", answer="Thank you.")
    assert (status(review), review.answer) == ("published", "Thank you.")

    submit(boss, page_of(review), decision="refuse", reason="About another mug.")
    assert (status(review), review.refusal) == ("refused", "About another mug.")


def test_words_that_came_after_the_page_are_read_before_they_are_decided_on() -> None:
    review = ReviewFactory(published=False)
    staff = sign_in()
    typed = {"decision": "publish", "reason": "", "answer": "", "revision": review.revision}
    Review.objects.filter(pk=review.pk).update(text="Buy elsewhere!", revision=review.revision + 1)

    again = staff.post(page_of(review), typed)

    assert status(review) == "pending"
    assert "Buy elsewhere!" in again.content.decode()
    submit(staff, page_of(review), decision="publish")
    assert status(review) == "published"


def test_many_are_published_at_once() -> None:
    waiting = [ReviewFactory(published=False) for _each in range(3)]
    there = ReviewFactory()

    boss = sign_in()

    asked = boss.post(LIST, choose("publish_chosen", *waiting, there))
    assert "Publish 4 reviews" in asked.content.decode()
    assert waiting[0].text in asked.content.decode()
    assert {status(review) for review in waiting} == {"pending"}

    boss.post(LIST, choose("publish_chosen", *waiting, there, read=read(*waiting, there)))

    assert {status(review) for review in waiting} == {"published"}
    for review in waiting:
        review.product.refresh_from_db()
        assert review.product.rating_count == 1


def test_many_are_refused_for_one_reason_that_is_asked_for() -> None:
    reviews = [ReviewFactory(published=False) for _each in range(2)]
    boss = sign_in()

    asked = boss.post(LIST, choose("refuse_chosen", *reviews))
    assert "Do not show 2 reviews" in asked.content.decode()
    empty = boss.post(LIST, choose("refuse_chosen", *reviews, read=read(*reviews), reason=" "))
    assert "Say why" in empty.content.decode()
    assert {status(review) for review in reviews} == {"pending"}

    boss.post(LIST, choose("refuse_chosen", *reviews, read=read(*reviews), reason="Advertising."))
    deliver_outbox()

    assert {status(review) for review in reviews} == {"refused"}
    assert Mail.objects.filter(kind="catalog.review_refused").count() == 2


@pytest.mark.parametrize("action", ["publish_chosen", "refuse_chosen"])
def test_nothing_is_decided_on_words_that_came_after_the_list_was_read(action: str) -> None:
    changed, same = [ReviewFactory(published=False) for _each in range(2)]
    seen = read(changed, same)
    Review.objects.filter(pk=changed.pk).update(text="Buy elsewhere!", revision=9)

    answer = sign_in().post(
        LIST, choose(action, changed, same, read=[*seen, "x:y"], reason="Off topic."), follow=True
    )

    assert (status(changed), status(same) != "pending") == ("pending", True)
    assert "changed by its author meanwhile" in answer.content.decode()


def test_a_decision_leaves_an_answer_that_was_given_meanwhile() -> None:
    review = ReviewFactory(published=False)
    staff = sign_in()
    page = staff.get(page_of(review)).content.decode()
    assert 'name="initial-answer"' in page
    typed = {"decision": "publish", "reason": "", "answer": "", "initial-answer": ""}
    Review.objects.filter(pk=review.pk).update(answer="Thank you, Ada.")

    staff.post(page_of(review), {**typed, "revision": review.revision})

    assert (status(review), review.answer) == ("published", "Thank you, Ada.")


def test_a_seller_answers_reviews_of_their_own_things_and_decides_nothing() -> None:
    member = SellerMemberFactory()
    own = ReviewFactory(product__seller=member.seller)
    waiting = ReviewFactory(product__seller=member.seller, published=False)
    foreign = ReviewFactory()
    seller = sign_in(member.user)

    submit(seller, page_of(own), answer="Thank you.", decision="refuse", reason="Too honest.")
    seller.post(LIST, choose("refuse_chosen", own, read=read(own), reason="Too honest."))

    assert (status(own), own.answer) == ("published", "Thank you.")
    for hidden in (waiting, foreign):
        assert seller.get(page_of(hidden)).status_code == 302


def test_a_seller_does_not_learn_the_address_of_an_author() -> None:
    member = SellerMemberFactory()
    review = ReviewFactory(product__seller=member.seller, name="Ada", email="ada@example.com")
    seller = sign_in(member.user)

    page = seller.get(page_of(review)).content.decode()
    found = seller.get(LIST, {"q": "ada@example.com"})

    assert "Ada, " in page
    assert "ada@example.com" not in page
    assert not found.context["cl"].result_count


def test_a_packer_reads_and_answers_nothing() -> None:
    member = SellerMemberFactory(role=SellerMember.Role.PACKER)
    review = ReviewFactory(product__seller=member.seller)

    answer = sign_in(member.user).post(page_of(review), {"answer": "Thank you."})

    assert answer.status_code == 403
    review.refresh_from_db()
    assert review.answer == ""


def test_deleted_reviews_count_no_more() -> None:
    review = ReviewFactory()
    product = review.product

    sign_in().post(LIST, choose("delete_selected", review, post="yes"))

    product.refresh_from_db()
    assert (product.rating, product.rating_count) == (None, 0)


def test_the_desk_asks_for_a_look_while_something_waits() -> None:
    boss = sign_in()
    ReviewFactory()
    assert "Reviews to read" not in boss.get("/admin/").content.decode()

    ReviewFactory(published=False)

    assert "Reviews to read" in boss.get("/admin/").content.decode()
