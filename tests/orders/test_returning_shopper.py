"""Who has ordered before fills in nothing: the latest address is repeated, and only theirs."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from cart.models import ShippingBand, ShippingMethod, ShippingZone
from orders.models import Order, OrderAddress
from payments.simulator.running import Simulator
from shop.models import TaxClass
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery, place_order
from tests.forms import read_form
from tests.journeys.shopper import PLACE, Shopper, words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return UserFactory(email="ada@example.com", name="Ada King")


@pytest.fixture
def shopper(ada: User, simulator: Simulator) -> Shopper:
    """Ada with a mug in her cart."""
    make_delivery()
    shopper = Shopper()
    shopper.client.force_login(ada)
    shopper.put(VariantFactory(price=Decimal("24.00")))
    return shopper


def order_of(user: User | None, status: str = "placed", **address: str) -> Order:
    order = place_order(VariantFactory())
    if address:
        OrderAddress.objects.filter(order=order).update(**address)
    times = {"paid_at": order.created_at, "payment_status": "paid"} if status == "placed" else {}
    Order.objects.filter(pk=order.pk).update(user=user, status=status, **times)
    return order


def texts_to_fill_in(page: Any) -> list[str]:
    form = words_of(page).partition('id="checkout"')[2]
    fields = re.findall(r"<(?:input|select|textarea)[^>]*>", form)
    chosen = (
        'type="hidden"',
        'type="radio"',
        'type="checkbox"',
        'name="homepage"',
    )  # nobody sees it
    return [tag for tag in fields if not any(kind in tag for kind in chosen)]


@pytest.mark.breaks_invariants
def test_somebody_who_ordered_before_has_only_to_press_the_button(
    shopper: Shopper, ada: User, simulator: Simulator
) -> None:
    order_of(ada, name="Ada Lovelace", phone="030 1234567")

    page = shopper.open_checkout()
    words = words_of(page)

    assert texts_to_fill_in(page) == []
    for line in ("Ada Lovelace", "Unter den Linden 1", "10117 Berlin", "Germany"):
        assert line in words
    assert "Receipt and news go to ada@example.com." in words
    answer = shopper.client.post("/checkout/", read_form(page, "/checkout/") | PLACE)
    assert answer.url.startswith(simulator.url)
    address = Order.objects.latest("id").addresses.get()
    assert (address.name, address.phone) == ("Ada Lovelace", "030 1234567")


@pytest.mark.breaks_invariants
def test_change_shows_the_form_filled_in_and_takes_another_address(
    shopper: Shopper, ada: User
) -> None:
    order_of(ada)

    page = shopper.client.get("/checkout/?change=1")

    assert len(texts_to_fill_in(page)) == 7
    fields = read_form(page, "/checkout/")
    assert (fields["email"], fields["street"]) == ("ada@example.com", "Unter den Linden 1")
    updated = shopper.client.post("/checkout/", fields | {"action": "update"})
    assert len(texts_to_fill_in(updated)) == 7, "the form stays open while it is changed"
    answer = shopper.client.post("/checkout/", fields | PLACE | {"street": "Am Zoo 2"})
    assert answer.status_code == 302
    assert Order.objects.latest("id").addresses.get().street == "Am Zoo 2"


@pytest.mark.breaks_invariants
def test_the_delivery_of_last_time_is_chosen_while_it_is_offered(
    shopper: Shopper, ada: User
) -> None:
    express = ShippingMethod.objects.create(
        zone=ShippingZone.objects.get(), code="express", name="Express", position=9,
        tax_class=TaxClass.objects.get(),
    )  # fmt: skip
    ShippingBand.objects.create(method=express, minimum=0, price=Decimal("12.90"))
    order = order_of(ada)
    Order.objects.filter(pk=order.pk).update(shipping_method="express")

    assert "Order and pay €36.90" in words_of(shopper.open_checkout())
    ShippingMethod.objects.filter(code="express").update(is_active=False)
    page = shopper.open_checkout()
    assert "Order and pay €28.90" in words_of(page)
    assert texts_to_fill_in(page) == []


@pytest.mark.breaks_invariants
def test_another_delivery_can_be_chosen_without_opening_the_address(
    shopper: Shopper, ada: User
) -> None:
    order_of(ada)
    fields = read_form(shopper.open_checkout(), "/checkout/")

    updated = shopper.client.post("/checkout/", fields | {"action": "update"})

    assert texts_to_fill_in(updated) == []
    assert texts_to_fill_in(shopper.open_checkout()) == []


@pytest.mark.breaks_invariants
def test_the_latest_paid_order_counts(shopper: Shopper, ada: User) -> None:
    order_of(ada, street="Old street 1")
    order_of(ada, street="New street 2")
    order_of(ada, status="pending", street="Never paid 3")
    order_of(ada, status="cancelled", street="Taken back 4")

    assert "New street 2" in words_of(shopper.open_checkout())


@pytest.mark.breaks_invariants
def test_nobody_sees_anybody_elses_address(shopper: Shopper) -> None:
    order_of(UserFactory(), street="Somebody else 1")
    # Made by a guest with Ada's email, which proves nothing.
    guest = order_of(None, street="A guest 2")

    page = shopper.open_checkout()

    assert guest.email == "ada@example.com"
    assert "Somebody else 1" not in words_of(page)
    assert "A guest 2" not in words_of(page)
    fields = read_form(page, "/checkout/")
    assert (fields["email"], fields["name"], fields["street"]) == (
        "ada@example.com", "Ada King", "",
    )  # fmt: skip


@pytest.mark.breaks_invariants
def test_a_guest_in_the_same_browser_sees_nothing_of_it(shopper: Shopper, ada: User) -> None:
    order_of(ada)
    assert "Unter den Linden 1" in words_of(shopper.open_checkout())
    shopper.client.logout()
    shopper.put(VariantFactory())

    page = shopper.open_checkout()

    assert "Unter den Linden 1" not in words_of(page)
    assert "ada@example.com" not in words_of(page)


@pytest.mark.parametrize(
    "address",
    [
        {"country": "CH", "postcode": "8001"},
        {"name": "", "street": "", "postcode": "", "city": ""},
        {"postcode": "ABC"},
    ],
    ids=["no longer delivered to", "erased", "no longer valid"],
)
@pytest.mark.breaks_invariants
def test_an_address_that_would_not_be_accepted_falls_back_to_the_form(
    shopper: Shopper, ada: User, address: dict[str, str]
) -> None:
    order_of(ada, **address)

    page = shopper.open_checkout()

    assert page.status_code == 200
    assert len(texts_to_fill_in(page)) == 7


@pytest.mark.breaks_invariants
def test_a_doubtful_address_was_confirmed_when_it_was_ordered_to(
    shopper: Shopper, ada: User
) -> None:
    order_of(ada, street="Schloss Bellevue")

    page = shopper.open_checkout()

    answer = shopper.client.post("/checkout/", read_form(page, "/checkout/") | PLACE)
    assert answer.status_code == 302


@pytest.mark.breaks_invariants
def test_what_was_typed_since_goes_before_the_latest_order(shopper: Shopper, ada: User) -> None:
    order_of(ada)
    shopper.place(street="Am Zoo 2", city="")

    fields = read_form(shopper.open_checkout(), "/checkout/")

    assert fields["street"] == "Am Zoo 2"
