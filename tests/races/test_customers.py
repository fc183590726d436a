"""Two checkouts of one person at the same moment make one customer at the provider."""

from __future__ import annotations

import pytest

from orders.services import payment
from payments.models import Customer
from payments.simulator.running import Simulator
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import session_of
from tests.races.threads import at_once

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_two_checkouts_at_once_make_one_customer(simulator: Simulator) -> None:
    person = UserFactory()
    mug = VariantFactory(stock=5)
    place_order(mug)  # Makes the delivery that both share.

    orders = at_once(*(lambda: place_order(mug, user=person) for _ in range(2)))
    pages = at_once(*(lambda order=order: payment.start(order) for order in orders))

    store = simulator.provider.store
    sessions = [store.get("checkout.session", session_of(order)) for order in orders]
    made = {found["customer"] for found in sessions if found}
    assert all(str(page).startswith("http") for page in pages), pages
    assert made == {Customer.objects.get().provider_id}
