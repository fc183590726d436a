"""Mails that nobody has to get: chosen in the account, ended by one click, and honoured by all."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import NotificationPreferences, User
from accounts.services import notifications
from catalog.models import ProductVariant, RestockRequest
from catalog.services import restock, reviews, stock
from orders.services import notices
from shop.clock import now
from shop.models import Mail
from tests.factories.accounts import StaffFactory, UserFactory
from tests.factories.catalog import ReviewFactory, VariantFactory
from tests.factories.orders import place_order
from tests.forms import read_form, submit
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db

EMAIL = "ada@example.com"


@pytest.fixture(autouse=True)
def _mails_are_kept(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def ada() -> User:
    user = UserFactory(email=EMAIL)
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    return user


@pytest.fixture
def gone() -> ProductVariant:
    """A mug that is sold out, and that Ada wants to hear of."""
    variant = VariantFactory(stock=0, product__title="Dune mug")
    RestockRequest.objects.create(
        variant=variant, email=EMAIL, language="en", asked_at=now(), confirmed_at=now()
    )
    return variant


def bring_back(variant: ProductVariant) -> None:
    with transaction.atomic():
        stock.count(variant, 5, reason="new kiln")
    restock.sweep()


def choose(user: User, **chosen: bool) -> None:
    notifications.choose(user.pk, **{"restock": False, "reviews": False, "news": False} | chosen)


def kinds_of_mails() -> set[str]:
    return set(Mail.objects.values_list("kind", flat=True))


def unsubscribe_path() -> str:
    url = Mail.objects.exclude(unsubscribe_url="").latest("pk").unsubscribe_url
    found = re.search(r"/mails/.*", url)
    assert found
    return found[0]


def test_the_page_shows_the_choice_and_keeps_another(client: Client, ada: User) -> None:
    client.force_login(ada)
    page = client.get("/account/notifications/")
    fields = read_form(page, "/account/notifications/")
    assert {"restock", "reviews", "news"} & fields.keys() == {"restock", "reviews"}

    client.post("/account/notifications/", {
        "csrfmiddlewaretoken": fields["csrfmiddlewaretoken"], "news": "on",
    })  # fmt: skip

    row = NotificationPreferences.objects.get()
    assert (row.user, row.restock, row.reviews, row.news) == (ada, False, False, True)
    again = read_form(client.get("/account/notifications/"), "/account/notifications/")
    assert {"restock", "reviews", "news"} & again.keys() == {"news"}


def test_a_mail_that_nobody_has_to_get_says_how_to_end_it(gone: ProductVariant) -> None:
    bring_back(gone)
    mail.outbox.clear()
    deliver_outbox()

    [message] = mail.outbox
    row = Mail.objects.get(kind="catalog.restocked")
    assert message.extra_headers["List-Unsubscribe"] == f"<{row.unsubscribe_url}>"
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert row.unsubscribe_url in row.text
    assert row.unsubscribe_url in row.html
    assert EMAIL not in row.unsubscribe_url


def test_one_click_of_a_mail_program_ends_it_without_cookie_or_token(gone: ProductVariant) -> None:
    bring_back(gone)
    program = Client(enforce_csrf_checks=True)

    answer = program.post(unsubscribe_path(), {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert not answer.cookies
    row = NotificationPreferences.objects.get()
    assert (row.email, row.restock, row.reviews) == (EMAIL, False, True)
    again = VariantFactory(stock=0)
    RestockRequest.objects.create(
        variant=again, email=EMAIL, language="en", asked_at=now(), confirmed_at=now()
    )
    bring_back(again)
    assert Mail.objects.filter(kind="catalog.restocked").count() == 1


def test_looking_at_the_link_changes_nothing_and_the_button_does(gone: ProductVariant) -> None:
    bring_back(gone)
    reader = Client(enforce_csrf_checks=True)
    path = unsubscribe_path()

    page = reader.get(path)

    assert NotificationPreferences.objects.get().restock
    done = submit(reader, page, path)
    assert "You get no more of them" in done.content.decode()
    assert not NotificationPreferences.objects.get().restock


@pytest.mark.parametrize("key", ["nonsense", "1-restock.AAAA", "999999-restock"])
def test_a_key_that_is_not_ours_ends_nothing(client: Client, ada: User, key: str) -> None:
    choose(ada, restock=True)

    answer = client.post(f"/mails/{key}/")

    assert "Nothing is sent to you" in answer.content.decode()
    assert NotificationPreferences.objects.get().restock


def test_an_account_that_wants_none_gets_none(ada: User, gone: ProductVariant) -> None:
    choose(ada)

    bring_back(gone)

    assert "catalog.restocked" not in kinds_of_mails()
    assert RestockRequest.objects.get().told_at, "and is not asked about for ever"


def test_asking_anew_counts_more_than_an_older_no(ada: User) -> None:
    choose(ada)
    variant = VariantFactory(stock=0)
    request = RestockRequest.objects.create(
        variant=variant, email=EMAIL, language="en", asked_at=now()
    )

    restock.confirm(request.pk)
    bring_back(variant)

    assert "catalog.restocked" in kinds_of_mails()


@pytest.mark.parametrize(("wants", "expected"), [(True, 1), (False, 0)])
def test_mails_about_reviews_come_to_those_who_want_them(
    ada: User, wants: bool, expected: int
) -> None:
    choose(ada, reviews=wants)
    review = ReviewFactory(email=EMAIL, author=ada, published=False)

    with transaction.atomic():
        reviews.publish(review.pk, by=StaffFactory())
    deliver_outbox()

    assert Mail.objects.filter(kind="catalog.review_published").count() == expected
    assert Mail.objects.filter(kind="catalog.review_new").count() == 1, "the seller's always comes"


def test_mails_about_orders_always_come_and_have_no_such_link(ada: User) -> None:
    choose(ada)
    order = place_order(VariantFactory(), user=ada)

    with transaction.atomic():
        notices.enqueue(order, "cancelled")
    deliver_outbox()

    message = Mail.objects.get(kind="orders.cancelled")
    assert message.unsubscribe_url == ""
    assert "List-Unsubscribe" not in mail.outbox[-1].extra_headers


def test_what_an_address_refused_its_account_refuses_too(ada: User) -> None:
    with transaction.atomic():
        EmailAddress.objects.filter(user=ada).update(verified=False)
        key = notifications.find_choice(EMAIL, "reviews", language="en")
        EmailAddress.objects.filter(user=ada).update(verified=True)
        notifications.find_choice(EMAIL, "reviews", language="en")
    assert NotificationPreferences.objects.count() == 2
    guest = NotificationPreferences.objects.get(email=EMAIL)

    assert notifications.unsubscribe(guest.pk, "reviews")

    assert key.is_wanted
    assert not NotificationPreferences.objects.filter(reviews=True).exists()


def test_preferences_belong_to_a_person_or_to_an_address(ada: User) -> None:
    for whose in ({"user": ada, "email": EMAIL}, {}):
        with pytest.raises(IntegrityError), transaction.atomic():
            NotificationPreferences.objects.create(**whose)


def test_nobody_reads_or_changes_what_somebody_else_chose(client: Client, ada: User) -> None:
    choose(ada, news=True)
    grace = UserFactory()
    client.force_login(grace)
    page: Any = client.get("/account/notifications/")

    submit(client, page, "/account/notifications/")

    assert NotificationPreferences.objects.get(user=ada).news
    assert not NotificationPreferences.objects.get(user=grace).news
