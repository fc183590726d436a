"""Guests' orders find their way into an account, and only into that of whoever reads their mails."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from catalog.models import Purchase
from orders.access import make_key
from orders.models import Order
from orders.services import claiming
from shop.clock import now
from shop.models import Mail
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.forms import submit
from tests.journeys.shopper import words_of

pytestmark = pytest.mark.django_db

PASSWORD = "difference engine 1842"


def make_person(email: str, *, verified: bool = True) -> User:
    user = UserFactory(email=email)
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    return user


@pytest.fixture
def ada(client: Client) -> User:
    user = make_person("ada@example.com")
    client.force_login(user)
    return user


def order_as_guest(email: str = "ada@example.com") -> Order:
    order = place_order(VariantFactory(stock=1))
    Order.objects.filter(pk=order.pk).update(email=email)
    order.refresh_from_db()
    return order


def owner_of(order: Order) -> Any:
    return Order.objects.get(pk=order.pk).user


def test_orders_made_as_a_guest_are_offered_and_taken_along(client: Client, ada: User) -> None:
    first, second = order_as_guest("Ada@Example.com"), order_as_guest()
    product = VariantFactory().product
    Purchase.objects.create(
        product=product, order_number=second.number, email="ada@example.com", bought_at=now()
    )
    page = client.get("/account/")
    assert "2 orders that you made as a guest" in words_of(page)
    assert owner_of(first) is None, "looking attaches nothing"

    token = {"csrfmiddlewaretoken": str(page.context["csrf_token"])}
    numbers = {"order": [first.number, second.number]}
    answer = client.post("/account/claim/", token | numbers, follow=True)

    assert "2 orders are in your account now." in words_of(answer)
    assert [owner_of(first), owner_of(second)] == [ada, ada]
    assert f"/orders/{first.number}/" in words_of(answer)
    assert "that you made as a guest" not in words_of(answer)
    assert client.get(f"/orders/{first.number}/").status_code == 200
    assert Purchase.objects.get().user_id == ada.pk
    note = first.events.get(kind="claimed")
    assert (note.actor, note.message) == (ada, "Its buyer has an account now, and took it there.")


def test_the_form_on_the_page_carries_the_orders(client: Client, ada: User) -> None:
    order = order_as_guest()

    submit(client, client.get("/account/"), "/account/claim/")

    assert owner_of(order) == ada


def test_an_address_that_is_not_proven_brings_nothing(client: Client) -> None:
    order = order_as_guest()
    ada = make_person("ada@example.com", verified=False)
    client.force_login(ada)

    page = client.get("/account/")

    assert "that you made as a guest" not in words_of(page)
    assert order.number not in words_of(page)
    assert "ada@example.com is not confirmed yet" in words_of(page)
    assert claiming.claim(ada, [order.number]) == 0
    assert owner_of(order) is None


def test_nobody_takes_what_is_somebody_elses(ada: User) -> None:
    grace = make_person("grace@example.com")
    hers = order_as_guest("grace@example.com")
    taken = order_as_guest()
    Order.objects.filter(pk=taken.pk).update(user=grace)

    assert claiming.claim(ada, [hers.number, taken.number, "NOTTHERE"]) == 0

    assert owner_of(hers) is None
    assert owner_of(taken) == grace
    assert not hers.events.filter(kind="claimed").exists()


def test_taking_twice_is_taking_once(ada: User) -> None:
    order = order_as_guest()

    assert [claiming.claim(ada, [order.number]) for _ in range(2)] == [1, 0]

    assert order.events.filter(kind="claimed").count() == 1


# An account out of one field ------------------------------------------------------------------


def open_order(client: Client, order: Order) -> Any:
    Order.objects.filter(pk=order.pk).update(status="placed", payment_status="paid", paid_at=now())
    return client.get(f"/orders/{order.number}/?key={make_key(order.number)}", follow=True)


@pytest.mark.breaks_invariants
def test_a_guest_makes_an_account_with_a_password_alone_and_proves_the_mailbox(
    client: Client,
) -> None:
    order = order_as_guest()
    path = f"/orders/{order.number}/account/"
    page = open_order(client, order)

    answer = submit(client, page, path, {"password1": PASSWORD})

    assert (answer.status_code, answer.url) == (302, "/accounts/confirm-email/")
    user = User.objects.get()
    assert (user.email, user.check_password(PASSWORD)) == ("ada@example.com", True)
    assert client.get("/account/").status_code == 302, "the mailbox is not proven yet"
    mail = Mail.objects.get()
    assert mail.recipient == "ada@example.com"
    assert owner_of(order) is None


@pytest.mark.breaks_invariants
def test_nothing_tells_whether_there_is_an_account_already() -> None:
    make_person("known@example.com")
    answers = []
    for email in ("known@example.com", "other@example.com"):
        order = order_as_guest(email)
        browser = Client(enforce_csrf_checks=True)
        page = open_order(browser, order)
        sent = submit(browser, page, f"/orders/{order.number}/account/", {"password1": PASSWORD})
        shown = browser.get(sent.url)
        words = words_of(shown).replace(email, "somebody@example.com")
        words = re.sub(r'value="[^"]{20,}"', "", words)
        answers.append(
            (words_of(page).count('name="password1"'), sent.status_code, sent.url, words)
        )

    assert answers[0] == answers[1]
    assert answers[0][:3] == (1, 302, "/accounts/confirm-email/")
    assert {mail.recipient for mail in Mail.objects.all()} == {
        "known@example.com", "other@example.com"
    }  # fmt: skip


@pytest.mark.breaks_invariants
def test_a_weak_password_is_refused_on_the_same_page(client: Client) -> None:
    order = order_as_guest()
    page = open_order(client, order)

    answer = submit(client, page, f"/orders/{order.number}/account/", {"password1": "12345678"})

    assert answer.status_code == 200
    assert "field__error" in words_of(answer)
    assert order.number in words_of(answer)
    assert not User.objects.exists()


@pytest.mark.breaks_invariants
def test_whoever_may_not_see_the_order_makes_no_account_for_it(client: Client) -> None:
    order = order_as_guest()
    page = open_order(Client(), order)
    token = {"csrfmiddlewaretoken": str(page.context["csrf_token"])}
    stranger = Client()

    answer = stranger.post(f"/orders/{order.number}/account/", token | {"password1": PASSWORD})

    assert answer.status_code == 404
    assert not User.objects.exists()


@pytest.mark.breaks_invariants
def test_somebody_signed_in_is_offered_no_second_account(client: Client, ada: User) -> None:
    order = order_as_guest()

    assert 'name="password1"' not in words_of(open_order(client, order))
