"""The pages about one's own data: who may do what there, and what they say."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from io import BytesIO

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import DataCopy, User
from accounts.services import exporting
from orders.models import Order
from shop.clock import now
from tests.factories.accounts import UserFactory
from tests.factories.catalog import ReviewFactory, VariantFactory
from tests.factories.orders import place_order
from tests.forms import submit
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db
PAGE, ERASE = "/account/privacy/", "/account/privacy/erase/"
PASSWORD = "a long enough password"


def join(email: str = "ada@example.com") -> User:
    user = UserFactory(email=email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def sign_in(user: User, *, is_certain: bool = True) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    if is_certain:
        confirm(client, ERASE)
    return client


def confirm(client: Client, path: str) -> None:
    """Show once more who one is, as the page asks for."""
    asked = client.get(path)
    assert asked.status_code == 302, asked.content.decode()
    assert asked.url.startswith("/accounts/reauthenticate/?next=")
    answer = submit(
        client, client.get(asked.url), "/accounts/reauthenticate/",
        {"password": PASSWORD, "next": path},
    )  # fmt: skip
    assert answer.status_code == 302


def ask_for_copy(client: Client) -> DataCopy:
    answer = submit(client, client.get(PAGE), "/account/privacy/copy/")
    assert (answer.status_code, answer.url) == (302, PAGE)
    return DataCopy.objects.get()


def test_a_copy_is_made_in_the_background_and_fetched_by_whom_it_is_about() -> None:
    client = sign_in(join())
    copy = ask_for_copy(client)
    assert "is being made" in client.get(PAGE).content.decode()

    deliver_outbox()
    page = client.get(PAGE).content.decode()
    answer = client.get(f"/account/privacy/copies/{copy.pk}/")

    assert f"/account/privacy/copies/{copy.pk}/" in page
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="my-data-20')
    assert "no-store" in answer.headers["Cache-Control"]
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert "ada@example.com" in archive.read("data.json").decode()


def test_asking_twice_makes_one_copy_and_a_new_one_takes_the_place_of_the_old() -> None:
    user = join()
    client = sign_in(user)
    first = ask_for_copy(client)
    assert exporting.ask(user, language="en") == first
    deliver_outbox()

    second = ask_for_copy(client)

    assert second.pk != first.pk
    assert second.ready_at is None


def test_nobody_else_gets_a_copy_nor_anybody_one_that_has_lapsed() -> None:
    client = sign_in(join())
    copy = ask_for_copy(client)
    deliver_outbox()
    path = f"/account/privacy/copies/{copy.pk}/"

    assert sign_in(join("eve@example.com")).get(path).status_code == 404
    assert "/accounts/login/" in Client().get(path).url
    DataCopy.objects.update(lapses_at=now() - timedelta(seconds=1))
    assert client.get(path).status_code == 404
    assert "Fetch your copy" not in client.get(PAGE).content.decode()


def test_who_is_not_known_for_certain_shows_first_who_they_are() -> None:
    user = join()
    client = sign_in(user, is_certain=False)
    copy = DataCopy.objects.create(user=user, language="en", ready_at=now(), lapses_at=now())

    asked = submit(client, client.get(PAGE), "/account/privacy/copy/")

    assert asked.url.startswith("/accounts/reauthenticate/")
    assert DataCopy.objects.count() == 1
    for path in (ERASE, f"/account/privacy/copies/{copy.pk}/"):
        assert client.get(path).url.startswith("/accounts/reauthenticate/")


def test_who_types_their_address_is_erased_at_once_and_signed_out() -> None:
    user = join()
    ReviewFactory(author=user, email=user.email, text="Lovely.")
    client, elsewhere = sign_in(user), sign_in(user)
    page = client.get(ERASE)
    text = page.content.decode()
    assert "Your reviews with their photographs" in text
    assert "Name and address on the invoices of paid orders" in text
    assert "keep books for 10 years" in text

    answer = submit(client, page, ERASE, {"email": "Ada@Example.com"})

    assert (answer.status_code, answer.url) == (302, "/account/erased/")
    assert "Your account is erased" in client.get("/account/erased/").content.decode()
    assert "/accounts/login/" in client.get("/account/").url
    assert "/accounts/login/" in elsewhere.get("/account/").url
    assert not User.objects.filter(pk=user.pk).exists()


@pytest.mark.parametrize("typed", ["", "eve@example.com"])
def test_a_slip_of_the_finger_erases_nothing(typed: str) -> None:
    user = join()
    client = sign_in(user)

    page = submit(client, client.get(ERASE), ERASE, {"email": typed})

    assert page.status_code == 200
    assert "There is a problem" in page.content.decode()
    assert User.objects.filter(pk=user.pk).exists()


def test_an_order_that_is_not_over_is_named_and_there_is_no_button() -> None:
    user = join()
    order = place_order(VariantFactory(stock=1), user=user)
    client = sign_in(user)

    page = client.get(ERASE).content.decode()

    assert f"Order {order.number} waits for its payment." in page
    assert "Erase my account" not in page


def test_an_order_that_came_after_the_page_was_opened_stops_it() -> None:
    user = join()
    client = sign_in(user)
    page = client.get(ERASE)
    order = place_order(VariantFactory(stock=1), user=user)

    answer = submit(client, page, ERASE, {"email": user.email})

    assert f"Order {order.number} waits for its payment." in answer.content.decode()
    assert Order.objects.get().user == user


@pytest.mark.parametrize("count", [1, 5])
def test_the_pages_need_the_same_statements_whatever_there_is(count: int) -> None:
    user = join()
    for _ in range(count):
        ReviewFactory(author=user)
        DataCopy.objects.filter(user=user).delete()
        DataCopy.objects.create(user=user, language="en")
    client = sign_in(user)
    needed = {}
    for path in (PAGE, ERASE):
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        needed[path] = len([query for query in queries if "SAVEPOINT" not in query["sql"]])

    assert needed == {PAGE: 3, ERASE: 10}


@pytest.mark.django_db(transaction=True)
def test_the_page_about_erasing_says_what_stands_in_the_way() -> None:
    """Outside of any transaction, as a page is: services say which they need."""
    user = join()
    client = sign_in(user)
    order = place_order(VariantFactory(stock=2))
    Order.objects.filter(pk=order.pk).update(user=user)

    page = client.get(ERASE).content.decode()

    assert order.number in page
    assert "Erase my account" not in page
