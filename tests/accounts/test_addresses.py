"""The address book: kept, changed, removed, by nobody but its owner; one default of each kind."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.addressing import PostalAddress
from accounts.errors import AddressRefused
from accounts.models import Address, User
from accounts.services import addresses
from tests.factories.accounts import UserFactory
from tests.forms import read_form, submit

pytestmark = pytest.mark.django_db

HOME = PostalAddress(
    name="Ada Lovelace",
    street="Unter den Linden 1",
    postcode="10117",
    city="Berlin",
    region="",
    country="DE",
)
TYPED = {
    "country": "DE", "name": "Ada Lovelace", "street": "Am Zoo 2", "postcode": "10787",
    "city": "Berlin", "phone": "030 1234567",
}  # fmt: skip


def elsewhere(street: str) -> PostalAddress:
    return PostalAddress(**HOME.as_fields() | {"street": street})


@pytest.fixture
def ada(client: Client) -> User:
    user = UserFactory(email="ada@example.com", name="Ada Lovelace")
    client.force_login(user)
    return user


def defaults(user: User) -> tuple[list[str], list[str]]:
    own = Address.objects.filter(user=user)
    return (
        [row.street for row in own.filter(is_for_delivery=True)],
        [row.street for row in own.filter(is_for_billing=True)],
    )


def test_an_address_is_added_through_the_form_and_stands_on_the_page(
    client: Client, ada: User
) -> None:
    page = client.get("/account/addresses/add/")

    answer = submit(client, page, "/account/addresses/add/", TYPED)

    assert (answer.status_code, answer.url) == (302, "/account/addresses/")
    words = client.get("/account/addresses/").content.decode()
    for line in ("Ada Lovelace", "Am Zoo 2", "10787 Berlin", "Germany", "030 1234567"):
        assert line in words
    assert defaults(ada) == (["Am Zoo 2"], []), "the first is where parcels go"


def test_the_form_begins_with_the_name_and_the_shops_country(client: Client, ada: User) -> None:
    fields = read_form(client.get("/account/addresses/add/"), "/account/addresses/add/")

    assert (fields["name"], fields["country"]) == ("Ada Lovelace", "DE")


def test_another_country_brings_its_own_fields_and_keeps_what_was_typed(
    client: Client, ada: User
) -> None:
    page = client.get("/account/addresses/add/")
    american = TYPED | {"country": "US", "action": "update"}

    shaped = submit(client, page, "/account/addresses/add/", american)

    fields = read_form(shaped, "/account/addresses/add/")
    assert (fields["country"], fields["street"], fields["region"]) == ("US", "Am Zoo 2", "")
    assert "ZIP code" in shaped.content.decode()
    assert not Address.objects.exists()
    refused = submit(client, shaped, "/account/addresses/add/", {"postcode": "90210"})
    assert "Choose one from the list." in refused.content.decode()
    kept = submit(client, refused, "/account/addresses/add/", {"region": "CA"})
    assert kept.status_code == 302
    row = Address.objects.get()
    assert (row.country, row.region, row.postcode) == ("US", "CA", "90210")


def test_what_is_wrong_is_said_and_what_was_typed_stays(client: Client, ada: User) -> None:
    page = client.get("/account/addresses/add/")

    answer = submit(
        client, page, "/account/addresses/add/", TYPED | {"postcode": "1", "street": "7"}
    )

    words = answer.content.decode()
    assert "Enter a postcode as it is written in Germany, such as" in words
    assert "Enter the street, too, not only the number." in words
    assert 'value="Am Zoo 2"' not in words
    assert not Address.objects.exists()


def test_an_address_is_changed_and_removed(client: Client, ada: User) -> None:
    row = addresses.add(ada.pk, HOME)
    path = f"/account/addresses/{row.pk}/"

    submit(client, client.get(path), path, {"street": "Am Zoo 2", "postcode": "10787"})

    row.refresh_from_db()
    assert (row.street, row.postcode, row.is_for_delivery) == ("Am Zoo 2", "10787", True)
    book = client.get("/account/addresses/")
    assert submit(client, book, f"{path}remove/").status_code == 302
    assert not Address.objects.exists()
    assert "No addresses yet" in client.get("/account/addresses/").content.decode()


def test_defaults_move_and_there_is_never_more_than_one(client: Client, ada: User) -> None:
    addresses.add(ada.pk, HOME)
    zoo = addresses.add(ada.pk, elsewhere("Am Zoo 2"))
    path = f"/account/addresses/{zoo.pk}/default/"
    book = client.get("/account/addresses/")

    submit(client, book, path, {"purpose": "delivery"})
    submit(client, book, path, {"purpose": "billing"})

    assert defaults(ada) == (["Am Zoo 2"], ["Am Zoo 2"])
    submit(client, book, path, {"purpose": "no_billing"})
    assert defaults(ada) == (["Am Zoo 2"], [])
    assert submit(client, book, path, {"purpose": "anything"}).status_code == 400


def test_the_newest_left_follows_a_default_that_is_removed(ada: User) -> None:
    first = addresses.add(ada.pk, HOME)
    addresses.add(ada.pk, elsewhere("Second street 2"))
    addresses.add(ada.pk, elsewhere("Third street 3"))

    addresses.remove(ada.pk, first.pk)
    addresses.remove(ada.pk, first.pk)

    assert defaults(ada) == (["Third street 3"], [])


@pytest.mark.parametrize("field", ["is_for_delivery", "is_for_billing"])
def test_the_database_itself_refuses_a_second_default(ada: User, field: str) -> None:
    addresses.add(ada.pk, HOME)
    Address.objects.update(is_for_delivery=True, is_for_billing=True)
    second = addresses.add(ada.pk, elsewhere("Am Zoo 2"))

    with pytest.raises(IntegrityError), transaction.atomic():
        Address.objects.filter(pk=second.pk).update(**{field: True})


def test_the_same_address_twice_is_kept_once(ada: User) -> None:
    first = addresses.add(ada.pk, HOME)

    again = addresses.add(ada.pk, PostalAddress(**HOME.as_fields() | {"phone": "030 99"}))

    assert again == first
    assert Address.objects.count() == 1


def test_a_book_has_an_end(ada: User) -> None:
    for number in range(addresses.MOST_ADDRESSES):
        addresses.add(ada.pk, elsewhere(f"Street {number}"))

    with pytest.raises(AddressRefused):
        addresses.add(ada.pk, HOME)

    assert Address.objects.count() == addresses.MOST_ADDRESSES


@pytest.mark.parametrize("path", ["", "remove/", "default/"])
def test_somebody_elses_address_is_not_there(client: Client, ada: User, path: str) -> None:
    theirs = addresses.add(UserFactory().pk, elsewhere("Somebody's 1"))
    addresses.add(ada.pk, HOME)
    book = client.get("/account/addresses/")
    token = read_form(client.get("/account/addresses/add/"), "/account/addresses/add/")
    address = f"/account/addresses/{theirs.pk}/{path}"

    sent = client.post(address, token | TYPED | {"purpose": "billing"})

    assert sent.status_code == 404
    assert "Somebody's 1" not in book.content.decode()
    if not path:
        assert client.get(address).status_code == 404
    theirs.refresh_from_db()
    assert (theirs.street, theirs.is_for_billing) == ("Somebody's 1", False)


@pytest.mark.parametrize("count", [1, 6])
def test_the_page_needs_the_same_statements_however_long_the_book(
    client: Client, ada: User, count: int
) -> None:
    for number in range(count):
        addresses.add(ada.pk, elsewhere(f"Street {number}"))
    client.get("/account/addresses/")

    with CaptureQueriesContext(connection) as queries:
        client.get("/account/addresses/")

    assert len(queries) == 3
