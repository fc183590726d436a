"""One cart in several hands: nothing is lost, nothing is doubled."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.db import connection

from accounts.models import User
from cart.errors import CartClosed, ChangedElsewhere
from cart.models import Cart, CartItem
from cart.services import carts, lines
from catalog.models import StockLevel
from orders.models import Order
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_cart, make_delivery
from tests.forms import submit
from tests.journeys.shopper import Shopper
from tests.races.threads import at_once, meeting_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def held_in(cart: Cart) -> list[int]:
    return sorted(cart.items.values_list("quantity", flat=True))


def test_adds_of_the_same_thing_at_once_all_count() -> None:
    variant = VariantFactory(stock=50)
    cart = make_cart(variant)

    at_once(*(lambda: lines.add(cart, variant_id=variant.pk, quantity=2) for _ in range(6)))

    assert held_in(cart) == [13]


def test_adds_of_different_things_at_once_all_count() -> None:
    variants = [VariantFactory() for _ in range(6)]
    cart = make_cart(VariantFactory())

    at_once(
        *(
            lambda variant=variant: lines.add(cart, variant_id=variant.pk, quantity=1)
            for variant in variants
        )
    )

    assert held_in(cart) == [1] * 7


def test_a_person_who_adds_in_two_windows_at_once_has_one_cart() -> None:
    user = UserFactory()

    found = at_once(*(lambda: carts.open_cart(user).pk for _ in range(5)))

    assert set(found) == {Cart.objects.get().pk}


def test_signing_in_twice_at_once_merges_once() -> None:
    variant = VariantFactory(stock=50)
    user = UserFactory()
    guest = make_cart(variant, quantity=3)
    mine = carts.open_cart(user)
    lines.add(mine, variant_id=variant.pk, quantity=2)

    results = meeting_at(
        Cart.objects.all(),
        *(lambda: carts.merge_at_sign_in(guest_cart_id=guest.pk, user=user).pk for _ in range(3)),
    )

    assert results == [mine.pk] * 3
    assert held_in(mine) == [5]
    guest.refresh_from_db()
    assert not guest.is_open


def test_a_change_in_another_tab_during_sign_in_is_not_lost() -> None:
    variant = VariantFactory(stock=50)
    user = UserFactory()
    guest = make_cart(variant, quantity=3)
    mine = carts.open_cart(user)
    lines.add(mine, variant_id=variant.pk, quantity=2)

    meeting_at(
        Cart.objects.filter(user=user),
        lambda: carts.merge_at_sign_in(guest_cart_id=guest.pk, user=user),
        lambda: lines.add(mine, variant_id=variant.pk, quantity=4),
    )

    assert held_in(mine) == [9]


def change_on_two_devices_at_once(*, is_checked: bool) -> tuple[list[object], int]:
    """Set the same line to 5 and to 7 from the same page; return both answers and what it holds."""
    variant = VariantFactory(stock=50)
    cart = carts.open_cart(UserFactory())
    lines.add(cart, variant_id=variant.pk, quantity=2, device="phone")
    cart.refresh_from_db()
    item = cart.items.get()
    version = cart.version if is_checked else None

    answers = meeting_at(
        Cart.objects.all(),
        lambda: lines.change(item, quantity=5, version=version, device="phone"),
        lambda: lines.change(item, quantity=7, version=version, device="desk"),
    )

    return answers, cart.items.get().quantity


def test_two_devices_that_change_a_line_at_once_do_not_overwrite_each_other() -> None:
    answers, held = change_on_two_devices_at_once(is_checked=True)

    assert [type(answer) for answer in answers].count(ChangedElsewhere) == 1
    assert [answer.quantity for answer in answers if isinstance(answer, lines.Outcome)] == [held]


def test_without_the_version_one_of_them_would_be_overwritten_unseen() -> None:
    answers, held = change_on_two_devices_at_once(is_checked=False)

    assert [answer.quantity for answer in answers if isinstance(answer, lines.Outcome)] == [5, 7]
    assert held in (5, 7)


def test_what_is_added_while_the_cart_is_being_ordered_goes_into_a_new_cart(
    simulator: object,
) -> None:
    make_delivery()
    shopper = Shopper()
    ordered, late = VariantFactory(stock=3), VariantFactory(stock=3)
    shopper.put(ordered)
    fields = shopper.fill()
    tab, other = shopper.other_tab(), shopper.other_tab()

    # The order waits for its stock row with the cart locked, and the add behind the cart.
    meeting_at(
        StockLevel.objects.all(),
        lambda: tab.client.post("/checkout/", fields),
        lambda: _after_the_cart_is_locked(lambda: other.put(late)),
    )

    order = Order.objects.get()
    assert [line.variant for line in order.lines.all()] == [ordered]
    item = CartItem.objects.get(variant=late)
    assert item.cart.is_open


def test_a_cart_that_was_ordered_takes_nothing_more() -> None:
    variant = VariantFactory()
    cart = make_cart(variant)
    Cart.objects.update(closed_at=cart.created_at)

    with pytest.raises(CartClosed):
        lines.add(cart, variant_id=variant.pk, quantity=1)
    with pytest.raises(CartClosed):
        lines.change(cart.items.get(), quantity=5)

    assert held_in(cart) == [1]


def test_the_sign_in_form_brings_the_guest_cart_along_and_doubles_nothing() -> None:
    user: User = UserFactory(email="ada@example.com")
    variant, other = VariantFactory(stock=50), VariantFactory(stock=50)
    mine = carts.open_cart(user)
    lines.add(mine, variant_id=variant.pk, quantity=2)
    shopper = Shopper()
    shopper.put(variant, 3)
    shopper.put(other, 1)

    _sign_in(shopper, user)
    _sign_in(shopper.other_tab(), user)

    assert held_in(mine) == [1, 5]
    assert Cart.objects.filter(closed_at=None).get() == mine
    assert other.product.title in shopper.client.get("/cart/").content.decode()


def _after_the_cart_is_locked(action: Callable[[], object]) -> object:
    """Wait until the other thread holds the cart, then act."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM cart_cart FOR NO KEY UPDATE SKIP LOCKED")
            if cursor.fetchone() is None:
                return action()
        time.sleep(0.01)
    raise TimeoutError("the cart was never locked")


def _sign_in(shopper: Shopper, user: User) -> None:
    EmailAddress.objects.get_or_create(user=user, email=user.email, verified=True, primary=True)
    page = shopper.client.get("/accounts/login/")
    if page.status_code == 200:
        answer = submit(
            shopper.client,
            page,
            "/accounts/login/",
            {"login": user.email, "password": "a long enough password"},
        )
        assert answer.status_code == 302, answer.content.decode()
