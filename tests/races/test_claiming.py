"""Two windows that take the same guest's orders into an account: once each, and to one person."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress

from accounts.addressing import PostalAddress
from accounts.models import Address, User
from accounts.services import addresses
from orders.models import Order, OrderEvent
from orders.services import claiming
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.races.threads import at_once, meeting_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def make_person(email: str) -> User:
    user = UserFactory(email=email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def test_two_windows_at_once_take_each_order_once() -> None:
    ada = make_person("ada@example.com")
    numbers = [place_order(VariantFactory(stock=1)).number for _ in range(3)]

    counts = meeting_at(
        Order.objects.all(), *(lambda: claiming.claim(ada, numbers) for _ in range(2))
    )

    assert sorted(counts) == [0, 3]
    assert set(Order.objects.values_list("user", flat=True)) == {ada.pk}
    assert OrderEvent.objects.filter(kind="claimed").count() == 3


def test_two_windows_that_add_the_first_address_leave_one_default() -> None:
    ada = make_person("ada@example.com")
    streets = ("Am Zoo 2", "Unter den Linden 1", "Am Zoo 2")

    results = at_once(
        *(
            lambda street=street: addresses.add(
                ada.pk, PostalAddress("Ada", street, "10117", "Berlin", "", "DE")
            )
            for street in streets
        )
    )

    assert all(isinstance(result, Address) for result in results)
    assert Address.objects.count() == 2
    assert Address.objects.filter(is_for_delivery=True).count() == 1
