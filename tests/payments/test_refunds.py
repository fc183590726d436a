"""Money on its way back: once, never more than was paid, whatever the network does."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from catalog.models import StockLevel
from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import cancellation, payment
from payments.errors import ProviderUnavailable, RefundTooLarge
from payments.models import PaymentTransaction, Refund
from payments.services import refunds
from payments.simulator.running import Simulator
from shop.money import Money
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay
from tests.outbox import deliver_outbox
from tests.payments.simulated import client_of

pytestmark = pytest.mark.django_db

CREATE = "refunds.create"


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator, settings: Any) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    yield
    simulator.provider.faults.clear()


@pytest.fixture
def order(simulator: Simulator) -> Order:
    """A paid order of two mugs, 52.90 euros."""
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    deliver_outbox()
    order.refresh_from_db()
    assert order.payment_status == "paid"
    return order


def request(order: Order, amount: str, *, key: str = "return") -> Refund:
    attempt = attempt_of(order)
    with transaction.atomic():
        return refunds.request(
            attempt,
            amount=Money(Decimal(amount), "EUR"),
            key=f"{attempt.reference}:{key}",
            reason="broken",
        )


def sent_back(simulator: Simulator, order: Order) -> list[int]:
    payment_id = attempt_of(order).provider_payment_id
    found = client_of(simulator).v1.refunds.list(params={"payment_intent": payment_id}).data
    return sorted(refund.amount for refund in found)


def test_a_refund_of_everything_is_sent_once_and_the_order_says_so(
    simulator: Simulator, order: Order
) -> None:
    refund = request(order, "52.90")
    deliver_outbox()
    refunds.send(refund.pk)

    order.refresh_from_db()
    assert sent_back(simulator, order) == [5290]
    assert (order.payment_status, order.stage) == ("refunded", "Refunded")
    assert Refund.objects.get().status == "succeeded"
    assert PaymentTransaction.objects.filter(kind="refund").count() == 1


def test_a_part_is_refunded_and_the_rest_later(simulator: Simulator, order: Order) -> None:
    request(order, "20.00", key="first")
    deliver_outbox()
    order.refresh_from_db()
    assert order.payment_status == "partially_refunded"

    request(order, "32.90", key="second")
    deliver_outbox()

    order.refresh_from_db()
    assert order.payment_status == "refunded"
    assert sent_back(simulator, order) == [2000, 3290]


def test_more_than_was_paid_never_goes_back(simulator: Simulator, order: Order) -> None:
    request(order, "20.00", key="first")

    with pytest.raises(RefundTooLarge):
        request(order, "32.91", key="second")

    deliver_outbox()
    assert sent_back(simulator, order) == [2000]


def test_the_same_refund_asked_for_twice_is_one(simulator: Simulator, order: Order) -> None:
    first, second = request(order, "20.00"), request(order, "20.00")

    deliver_outbox()

    assert first == second
    assert sent_back(simulator, order) == [2000]


@pytest.mark.parametrize("kind", ["timeout_after", "error_500_after", "cut_body", "timeout_before"])
def test_a_lost_answer_does_not_refund_twice(simulator: Simulator, order: Order, kind: str) -> None:
    refund = request(order, "52.90")
    simulator.add_fault(CREATE, kind, seconds=0.05)

    with pytest.raises(ProviderUnavailable):
        refunds.send(refund.pk)
    assert Refund.objects.get().status == "pending"
    deliver_outbox()

    assert Refund.objects.get().status == "succeeded"
    assert sent_back(simulator, order) == [5290]


def test_staff_cancel_a_paid_order_and_the_money_goes_back_with_a_mail(
    simulator: Simulator, order: Order
) -> None:
    mail.outbox.clear()

    cancellation.cancel(order, by=StaffFactory(), reason="Cracked in the kiln")
    deliver_outbox()

    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert (level.on_hand, level.allocated) == (3, 0)
    assert sent_back(simulator, order) == [5290]
    assert len(mail.outbox) == 1
    with pytest.raises(ActionNotAllowed):
        cancellation.cancel(order, by=StaffFactory(), reason="Again")


def test_staff_send_money_of_a_wrong_amount_back_and_the_order_can_be_paid_anew(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    order.payments.get().attempt.__class__.objects.update(amount=Decimal("53.00"))
    pay(simulator, order)
    payment.check(order)
    with pytest.raises(ActionNotAllowed):
        payment.start(order)

    assert cancellation.send_money_back(order, by=StaffFactory())
    deliver_outbox()

    order.refresh_from_db()
    assert sent_back(simulator, order) == [5290]
    assert (order.status, order.payment_status) == ("pending", "pending")
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("placed", "paid")


def test_staff_cancel_an_order_whose_payment_is_held_and_all_of_it_goes_back(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    order.payments.get().attempt.__class__.objects.update(amount=Decimal("53.00"))
    pay(simulator, order)
    payment.check(order)

    cancellation.cancel(order, by=StaffFactory(), reason="Wrong amount")
    deliver_outbox()

    order.refresh_from_db()
    assert sent_back(simulator, order) == [5290]
    assert (order.status, StockLevel.objects.get().allocated) == ("cancelled", 0)
