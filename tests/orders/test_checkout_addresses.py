"""The address book at checkout: defaults are filled in, others chosen, new ones kept."""

from __future__ import annotations

import re
from typing import Any

import pytest

from accounts.addressing import PostalAddress
from accounts.models import Address, User
from accounts.services import addresses
from orders.models import Order, OrderAddress
from payments.simulator.running import Simulator
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import TYPED, make_delivery
from tests.forms import read_form
from tests.journeys.shopper import PLACE, Shopper, words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return UserFactory(email="ada@example.com", name="Ada King")


@pytest.fixture
def shopper(ada: User, simulator: Simulator) -> Shopper:
    make_delivery()
    shopper = Shopper()
    shopper.client.force_login(ada)
    shopper.put(VariantFactory())
    return shopper


def keep(user: User, street: str, country: str = "DE", postcode: str = "10117") -> Address:
    address = PostalAddress("Ada Lovelace", street, postcode, "Berlin", "", country)
    return addresses.add(user.pk, address)


def key_of(page: Any, street: str) -> str:
    found = re.search(rf'value="(\w+)"[^<]*<span[^<]*<span[^>]*>{street}', words_of(page))
    assert found, street
    return found[1]


def streets(order: Order) -> dict[str, str]:
    return dict(order.addresses.values_list("kind", "street"))


def test_the_default_is_filled_in_and_nothing_is_typed(shopper: Shopper, ada: User) -> None:
    keep(ada, "Home 1")

    page = shopper.open_checkout()

    assert "Home 1" in words_of(page)
    assert "Receipt and news go to ada@example.com." in words_of(page)
    answer = shopper.client.post("/checkout/", read_form(page, "/checkout/") | PLACE)
    assert answer.status_code == 302
    assert streets(Order.objects.get()) == {"shipping": "Home 1"}


def test_another_address_is_chosen_by_a_plain_control(shopper: Shopper, ada: User) -> None:
    keep(ada, "Home 1")
    keep(ada, "Work 2")
    page = shopper.open_checkout()
    fields = read_form(page, "/checkout/") | {"deliver_to": key_of(page, "Work 2")}

    updated = shopper.client.post("/checkout/", fields | {"action": "update"})

    assert read_form(updated, "/checkout/")["deliver_to"] == fields["deliver_to"]
    again = shopper.open_checkout()
    assert read_form(again, "/checkout/")["deliver_to"] == fields["deliver_to"], "it is remembered"
    answer = shopper.client.post("/checkout/", read_form(updated, "/checkout/") | PLACE)
    assert answer.status_code == 302
    assert streets(Order.objects.get()) == {"shipping": "Work 2"}


def test_an_address_that_changed_since_it_was_chosen_is_shown_again(
    shopper: Shopper, ada: User
) -> None:
    home = keep(ada, "Home 1")
    fields = read_form(shopper.open_checkout(), "/checkout/")
    Address.objects.filter(pk=home.pk).update(street="Moved 3")

    answer = shopper.client.post("/checkout/", fields | PLACE)

    assert answer.status_code == 409
    assert "Moved 3" in words_of(answer)
    assert "This address is not what it was when you chose it" in words_of(answer)
    assert not Order.objects.exists()


def test_a_key_of_somebody_elses_address_opens_nothing(shopper: Shopper, ada: User) -> None:
    keep(UserFactory(), "Secret 9")
    keep(ada, "Home 1")
    stranger = Shopper()
    stranger.client.force_login(User.objects.exclude(pk=ada.pk).get())
    stranger.put(VariantFactory())
    theirs = read_form(stranger.open_checkout(), "/checkout/")["deliver_to"]
    fields = read_form(shopper.open_checkout(), "/checkout/") | {"deliver_to": theirs}

    answer = shopper.client.post("/checkout/", fields | PLACE)

    assert answer.status_code == 409
    assert "Secret 9" not in words_of(answer)
    assert not Order.objects.exists()


def test_where_the_shop_does_not_deliver_cannot_be_chosen_but_billed(
    shopper: Shopper, ada: User
) -> None:
    keep(ada, "Home 1")
    abroad = keep(ada, "Bahnhofstrasse 3", "CH", "8001")
    addresses.make_default(ada.pk, abroad.pk, purpose="billing")

    page = shopper.open_checkout()

    assert 'type="radio" name="deliver_to"' not in words_of(page)
    answer = shopper.client.post("/checkout/", read_form(page, "/checkout/") | PLACE)
    assert answer.status_code == 302
    order = Order.objects.get()
    assert streets(order) == {"shipping": "Home 1", "billing": "Bahnhofstrasse 3"}
    assert "Bahnhofstrasse 3" in shopper.see(order)


def test_the_bill_can_go_where_the_parcel_goes_after_all(shopper: Shopper, ada: User) -> None:
    keep(ada, "Home 1")
    addresses.make_default(ada.pk, keep(ada, "Work 2").pk, purpose="billing")
    fields = read_form(shopper.open_checkout(), "/checkout/")
    assert fields["billing"]

    shopper.client.post("/checkout/", fields | {"billing": ""} | PLACE)

    assert streets(Order.objects.get()) == {"shipping": "Home 1"}


def test_a_typed_address_is_kept_when_that_is_ticked(shopper: Shopper, ada: User) -> None:
    page = shopper.open_checkout()
    assert "keep_address" not in read_form(page, "/checkout/"), "nobody has to take a tick out"

    shopper.place(keep_address="on")

    row = Address.objects.get(user=ada)
    assert (row.street, row.is_for_delivery) == (TYPED["street"], True)


def test_a_typed_address_is_not_kept_otherwise(shopper: Shopper, ada: User) -> None:
    shopper.place()

    assert Order.objects.exists()
    assert not Address.objects.exists()


def test_a_new_address_can_be_typed_beside_the_book(shopper: Shopper, ada: User) -> None:
    keep(ada, "Home 1")

    page = shopper.client.get("/checkout/?change=1")
    answer = shopper.place(page, street="Am Zoo 2", keep_address="on")

    assert answer.status_code == 302
    assert streets(Order.objects.get()) == {"shipping": "Am Zoo 2"}
    assert [row.street for row in Address.objects.filter(user=ada)] == ["Home 1", "Am Zoo 2"]


@pytest.mark.breaks_invariants
def test_the_default_goes_before_the_latest_order(shopper: Shopper, ada: User) -> None:
    shopper.place(street="Once 5")
    Order.objects.update(status="placed", payment_status="paid", paid_at="2026-01-01T00:00Z")
    keep(ada, "Home 1")
    shopper.put(VariantFactory())

    page = shopper.open_checkout()

    chosen = read_form(page, "/checkout/")["deliver_to"]
    assert chosen == key_of(page, "Home 1")
    assert chosen != key_of(page, "Once 5")


def test_a_guest_is_offered_no_address_book(simulator: Simulator) -> None:
    make_delivery()
    guest = Shopper()
    guest.put(VariantFactory())

    words = words_of(guest.open_checkout())

    assert "keep_address" not in words
    assert "deliver_to" not in words
    assert OrderAddress.objects.count() == 0
