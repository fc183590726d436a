"""One decided refund in many hands, and a settlement whose worker dies: the money moves once."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction

from catalog.models import StockLevel
from orders.models import Order
from orders.services import expiry, payment
from payments.gateways import get_gateway
from payments.gateways.stripe import StripeGateway
from payments.models import PaymentAttempt, PaymentTransaction, Refund
from payments.services import refunds, settlement
from payments.simulator.running import Simulator
from shop.errors import ShopError
from shop.money import Money
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay, session_of
from tests.outbox import deliver_outbox
from tests.payments.events import event_of, post_event
from tests.races.threads import PATIENCE, _with_own_connection, at_once, wait_until_blocked

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

PART = Money(Decimal("5.00"), "EUR")


@pytest.fixture
def order(simulator: Simulator, settings: Any) -> Order:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    return order


@pytest.fixture
def refund(simulator: Simulator, order: Order) -> Refund:
    """A part of a paid order, decided and not sent yet: less than half, so twice would be possible."""
    pay(simulator, order)
    payment.check(order)
    with transaction.atomic():
        attempt = PaymentAttempt.objects.select_for_update().get()
        return refunds.request(attempt, amount=PART, key="goodwill", reason="Goodwill")


def refunds_at_provider() -> list[int]:
    gateway = get_gateway("stripe")
    assert isinstance(gateway, StripeGateway)
    payment_id = PaymentAttempt.objects.get().provider_payment_id
    found = gateway._client.v1.refunds.list(params={"payment_intent": payment_id})
    return [each.amount for each in found.data]


def test_a_refund_that_workers_and_the_sweep_send_at_once_goes_out_once(refund: Refund) -> None:
    results = at_once(
        *(lambda: refunds.send(refund.pk) for _ in range(3)),
        lambda: refunds.check(refund.pk),
        expiry.sweep,
    )

    # The provider may ask those who come while it works to come back later.
    assert all(isinstance(each, Refund | ShopError | int) for each in results), results
    refunds.send(refund.pk)
    assert refunds_at_provider() == [500]
    booked = PaymentTransaction.objects.filter(kind="refund")
    assert [each.amount for each in booked] == [PART.amount]
    deliver_outbox()


@pytest.mark.breaks_invariants
def test_control_without_the_stored_key_the_same_refund_goes_out_more_than_once(
    refund: Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = StripeGateway.refund

    def forget_the_key(gateway: StripeGateway, *, payment_id: str, amount: Money, key: str) -> Any:
        return send(gateway, payment_id=payment_id, amount=amount, key=secrets.token_hex(8))

    monkeypatch.setattr(StripeGateway, "refund", forget_the_key)

    at_once(*(lambda: refunds.send(refund.pk) for _ in range(3)))

    assert len(refunds_at_provider()) > 1


def test_webhook_return_page_and_sweep_at_once_book_once_though_one_of_them_dies(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    event = event_of(simulator, session_of(order), "checkout.session.completed")
    attempt_id = attempt_of(order).pk

    results = _meeting_with_a_death(
        lambda: settlement.settle(attempt_id).status,
        lambda: settlement.settle(attempt_id).status,
        lambda: payment.check(order),
        expiry.sweep,
    )
    assert post_event(event).status_code == 200
    deliver_outbox()

    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert sum(isinstance(each, Exception) for each in results) <= 1, results
    assert (order.status, order.payment_status) == ("placed", "paid")
    assert PaymentTransaction.objects.count() == 1
    assert (level.on_hand, level.allocated) == (1, 0)
    assert len(mail.outbox) == 1


def _meeting_with_a_death(*actions: Any) -> list[Any]:
    """Let all come to wait for the attempt, end one's connection as a killed process does, let go."""
    with ThreadPoolExecutor(len(actions)) as pool:
        with transaction.atomic(durable=True):
            list(PaymentAttempt.objects.select_for_update())
            futures = [pool.submit(_with_own_connection, action) for action in actions]
            wait_until_blocked(len(actions))
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1"
                )
        return [future.result(PATIENCE) for future in futures]
