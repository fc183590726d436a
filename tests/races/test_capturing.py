"""Two of the staff take the money of an order at the same moment, or one takes and one cancels."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import cancellation, capturing, payment
from payments.models import Capture, PaymentAttempt, PaymentTransaction
from payments.services import authorisations
from payments.simulator.running import Simulator
from shop.money import Money
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay
from tests.outbox import deliver_outbox
from tests.races.threads import at_once, meeting_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def order(simulator: Simulator, settings: Any) -> Order:
    """Two pieces of 24.00 and delivery, set aside; three were on the shelf."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.PAYMENT_CAPTURE = "later"
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    deliver_outbox()
    order.refresh_from_db()
    return order


def test_two_staff_who_take_the_money_at_once_take_it_once(order: Order) -> None:
    results = meeting_at(
        PaymentAttempt.objects.all(),
        *(lambda: capturing.take_money(order, by=None) for _ in range(2)),
    )
    deliver_outbox()

    assert results == [Money(Decimal("52.90"), "EUR")] * 2
    assert Capture.objects.get().status == "succeeded"
    assert PaymentTransaction.objects.get().amount == Decimal("52.90")
    assert order.events.filter(kind="capture_requested").count() == 1


def test_two_workers_who_take_the_same_money_at_once_take_it_once(order: Order) -> None:
    capturing.take_money(order, by=None)
    capture = Capture.objects.get()

    at_once(*(lambda: authorisations.take(capture.pk) for _ in range(2)))
    deliver_outbox()

    assert PaymentTransaction.objects.get().amount == Decimal("52.90")
    order.refresh_from_db()
    assert order.payment_status == "paid"


def test_taking_and_cancelling_at_once_do_one_of_the_two(order: Order) -> None:
    staff = StaffFactory()
    results = meeting_at(
        PaymentAttempt.objects.all(),
        lambda: capturing.take_money(order, by=staff),
        lambda: cancellation.cancel(order, by=staff, reason="Wrong glaze"),
    )
    deliver_outbox()

    order.refresh_from_db()
    ended = (order.status, order.payment_status, attempt_of(order).status)
    assert ended in [("placed", "paid", "captured"), ("cancelled", "voided", "cancelled")]
    assert sum(isinstance(result, ActionNotAllowed) for result in results) == 1
