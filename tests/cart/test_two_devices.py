"""One cart on two devices: what the other one did is told, and a stale change is refused kindly."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from cart.models import Cart, CartItem
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_cart
from tests.forms import read_form
from tests.journeys.shopper import Shopper, words_of

pytestmark = pytest.mark.django_db

TOLD = "Your cart was changed on another device."
REFUSED = "Your cart was changed on another device meanwhile, so nothing was changed just now."


def device_of(user: User) -> Shopper:
    shopper = Shopper()
    shopper.client.force_login(user)
    return shopper


def look(shopper: Shopper) -> Any:
    return shopper.client.get("/cart/")


def set_quantity(shopper: Shopper, page: Any, quantity: int) -> str:
    """Change the only line as the page shows it; return what the cart says afterwards."""
    path = f"/cart/items/{CartItem.objects.get().pk}/"
    fields = read_form(page, path) | {"quantity": str(quantity)}
    return words_of(shopper.client.post(path, fields, follow=True))


def quantity() -> int:
    return CartItem.objects.get().quantity


@pytest.fixture
def devices() -> tuple[Shopper, Shopper]:
    user = UserFactory()
    phone, desk = device_of(user), device_of(user)
    phone.put(VariantFactory(stock=50), 2)
    return phone, desk


def test_a_stale_change_is_refused_and_then_both_have_been_told(
    devices: tuple[Shopper, Shopper],
) -> None:
    phone, desk = devices
    on_phone, on_desk = look(phone), look(desk)
    assert TOLD not in set_quantity(phone, on_phone, 5)

    refused = set_quantity(desk, on_desk, 1)

    assert quantity() == 5
    assert refused.count(REFUSED) == 1
    assert TOLD not in refused, "told once is enough"
    assert set_quantity(desk, look(desk), 1).count(REFUSED) == 0
    assert quantity() == 1
    assert words_of(look(phone)).count(TOLD) == 1
    assert TOLD not in words_of(look(phone))


def test_what_the_other_device_put_in_is_told_at_the_next_look(
    devices: tuple[Shopper, Shopper],
) -> None:
    phone, desk = devices
    look(phone), look(desk)

    desk.put(VariantFactory())

    assert TOLD in words_of(look(phone))
    assert TOLD not in words_of(look(desk))


def test_one_device_alone_hears_nothing_whatever_it_does(devices: tuple[Shopper, Shopper]) -> None:
    phone, _desk = devices
    page = look(phone)
    item = CartItem.objects.get()
    phone.put(item.variant, 3)

    words = set_quantity(phone, page, 4)  # a tab that was open before the add

    assert (quantity(), TOLD in words, REFUSED in words) == (4, False, False)


def test_a_change_between_two_of_ones_own_is_not_overlooked(
    devices: tuple[Shopper, Shopper],
) -> None:
    phone, desk = devices
    stale = look(phone)
    item = CartItem.objects.get()
    desk.put(item.variant, 1)
    phone.put(item.variant, 1)

    words = set_quantity(phone, stale, 9)

    assert quantity() == 4
    assert REFUSED in words


def test_a_guest_never_hears_of_devices() -> None:
    guest = Shopper()
    guest.put(VariantFactory(stock=50), 2)
    stale = look(guest)
    set_quantity(guest, look(guest), 3)

    words = set_quantity(guest, stale, 4)

    assert (quantity(), REFUSED in words, TOLD in words) == (4, False, False)
    assert Cart.objects.get().device == ""


def test_a_cart_that_could_not_be_merged_at_sign_in_is_merged_at_the_next_look() -> None:
    shopper = device_of(UserFactory())
    shopper.put(VariantFactory(stock=50), 2)
    left = make_cart(VariantFactory(stock=50), quantity=3)
    session = shopper.client.session
    session["cart"] = left.pk
    session.save()

    look(shopper)
    look(shopper)

    mine = Cart.objects.get(closed_at=None)
    assert sorted(mine.items.values_list("quantity", flat=True)) == [2, 3]
