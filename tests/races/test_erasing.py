"""Somebody is erased in the moment in which they order: one of the two happens, and wholly."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from allauth.account.models import EmailAddress

from accounts.errors import ErasureRefused
from accounts.models import User
from accounts.person import person_of
from accounts.services import erasing
from cart.errors import CartClosed
from cart.models import Cart
from cart.queries import get_cart_view
from orders.models import Order
from orders.services import placement
from shop.errors import BusyError
from shop.money import Money
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import BERLIN, make_cart, make_delivery
from tests.races.threads import meeting_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def about_to_buy() -> tuple[User, Cart]:
    user, variant = UserFactory(), VariantFactory(stock=5)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    make_delivery()
    cart = make_cart(variant)
    Cart.objects.filter(pk=cart.pk).update(user=user)
    cart.refresh_from_db()
    return user, cart


def place(user: User, cart: Cart) -> Order:
    return placement.place(
        cart, email=user.email, address=BERLIN, delivery_code="standard",
        submit_key=cart.submit_key, seen_total=Money(Decimal("28.90"), "EUR"),
        seen_lines=get_cart_view(cart.pk).fingerprint, language="en", user=user,
    )  # fmt: skip


def patiently(action: Callable[[], Any]) -> Callable[[], Any]:
    """Try again as somebody does whom a slow machine tells that the shop is busy."""

    def run() -> Any:
        for _try in range(10):
            with suppress(BusyError):
                return action()
        return action()

    return run


@pytest.mark.parametrize("who_is_first", ["erasing", "ordering"])
def test_an_order_and_an_erasure_at_once_never_leave_half_of_both(who_is_first: str) -> None:
    user, cart = about_to_buy()
    person = person_of(user)
    actions: list[Any] = [
        patiently(lambda: erasing.erase(person)),
        patiently(lambda: place(user, cart)),
    ]
    if who_is_first == "ordering":
        actions.reverse()

    results = meeting_at(Cart.objects.filter(pk=cart.pk), *actions)
    if who_is_first == "ordering":
        results.reverse()
    erased, ordered = results

    if isinstance(ordered, Order):
        assert isinstance(erased, ErasureRefused), erased
        assert User.objects.filter(pk=user.pk).exists()
        assert Order.objects.get().user == user
    else:
        assert isinstance(ordered, CartClosed), ordered
        assert erased.rows["accounts.User"] == 1
        assert not User.objects.filter(pk=user.pk).exists()
        assert not Order.objects.exists()


def test_two_erasures_at_once_are_one() -> None:
    user, cart = about_to_buy()
    person = person_of(user)

    results = meeting_at(
        Cart.objects.filter(pk=cart.pk),
        *(patiently(lambda: erasing.erase(person)) for _ in range(2)),
    )

    assert sorted(bool(each.rows) for each in results) == [False, True]
    assert not User.objects.exists()
