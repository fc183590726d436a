"""Whatever the provider tells, however often and in whatever order: one end state, one mail."""

from __future__ import annotations

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client

from catalog.models import StockLevel
from orders.models import Order
from orders.services import expiry, payment
from payments.gateways import get_gateway
from payments.models import PaymentAttempt, PaymentTransaction, ProviderEvent
from payments.services import settlement
from payments.simulator.running import Simulator
from shop.clock import now
from shop.transactions import TransactionRuleBroken
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery, place_order
from tests.journeys.shopper import Shopper, attempt_of, pay, session_of
from tests.outbox import deliver_outbox
from tests.payments.events import event_of, list_events, post_event

pytestmark = pytest.mark.django_db

KINDS = ("charge.succeeded", "payment_intent.succeeded", "checkout.session.completed")


@pytest.fixture(autouse=True)
def _mails(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def shopper() -> Shopper:
    make_delivery()
    return Shopper()


@pytest.fixture
def order(shopper: Shopper, simulator: Simulator) -> Order:
    return shopper.buy(VariantFactory(stock=3), quantity=2)


def assert_paid_once(order: Order) -> None:
    deliver_outbox()
    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert (order.status, order.payment_status, order.stage) == ("placed", "paid", "Processing")
    assert attempt_of(order).status == "captured"
    assert list(PaymentTransaction.objects.values_list("kind", "amount", "currency")) == [
        ("capture", Decimal("52.9000"), "EUR")
    ]
    assert (level.on_hand, level.allocated) == (1, 0)
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["ada@example.com"], f"Your order {order.number} – Emporium")
    ]


def test_the_webhook_comes_before_the_return_page(
    shopper: Shopper, order: Order, simulator: Simulator
) -> None:
    pay(simulator, order)

    post_event(event_of(simulator, session_of(order), "checkout.session.completed"))
    deliver_outbox()
    page = shopper.come_back(order)

    assert "Thank you for your order" in page
    assert_paid_once(order)


def test_the_webhook_comes_after_the_return_page(
    shopper: Shopper, order: Order, simulator: Simulator
) -> None:
    pay(simulator, order)

    page = shopper.come_back(order)
    post_event(event_of(simulator, session_of(order), "checkout.session.completed"))

    assert "Thank you for your order" in page
    assert_paid_once(order)


def test_the_webhook_never_comes_and_the_shopper_neither_so_the_sweeper_asks(
    order: Order, simulator: Simulator
) -> None:
    pay(simulator, order)

    expired = expiry.sweep()

    assert expired == 0
    assert_paid_once(order)


def test_the_shopper_presses_cancel_after_all_and_the_payment_still_counts(
    shopper: Shopper, order: Order, simulator: Simulator
) -> None:
    shopper.see(order)
    pay(simulator, order)

    answer = shopper.client.post(
        f"/orders/{order.number}/cancel/",
        {"csrfmiddlewaretoken": shopper.client.cookies["csrftoken"].value},
        follow=True,
    )

    assert "This order cannot be cancelled any more: it is being paid." in answer.content.decode()
    assert_paid_once(order)


# Every order of these four ways to hear of it, with the first one repeated at the end.
WAYS = ("payment_intent.succeeded", "checkout.session.completed", "return", "task")
ORDERINGS = [(*ways, ways[0]) for ways in itertools.permutations(WAYS)]


@pytest.mark.parametrize("ways", ORDERINGS, ids=", ".join)
def test_every_order_of_news_ends_the_same(simulator: Simulator, ways: tuple[str, ...]) -> None:
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    pay(simulator, order)
    events = {event["type"]: event for event in list_events(simulator, session_of(order))}

    for way in ways:
        if way == "return":
            payment.check(order)
        elif way == "task":
            deliver_outbox()
        else:
            post_event(events[way])

    assert_paid_once(order)
    assert set(ProviderEvent.objects.values_list("outcome", flat=True)) == {"attempt is captured"}


def test_a_decline_that_is_told_after_the_success_changes_nothing(
    shopper: Shopper, order: Order, simulator: Simulator
) -> None:
    simulator.decline(session_of(order))
    pay(simulator, order)
    told = list_events(simulator, session_of(order))

    for event in reversed(told):
        post_event(event)
        deliver_outbox()

    assert {"payment_intent.payment_failed", "checkout.session.completed"} <= {
        event["type"] for event in told
    }
    assert_paid_once(order)


def test_a_declined_card_leaves_the_order_open_for_another_try(
    shopper: Shopper, order: Order, simulator: Simulator
) -> None:
    simulator.decline(session_of(order))
    post_event(event_of(simulator, session_of(order), "payment_intent.payment_failed"))
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("pending", "pending")
    assert "Waiting for your payment" in shopper.see(order)
    pay(simulator, order)
    post_event(event_of(simulator, session_of(order), "checkout.session.completed"))
    assert_paid_once(order)


def test_nobody_is_told_that_it_failed_while_the_provider_cannot_be_asked(
    shopper: Shopper, order: Order, simulator: Simulator
) -> None:
    pay(simulator, order)
    simulator.add_fault("checkout.sessions.retrieve", "error_500_before")

    page = shopper.come_back(order)

    assert "Confirming your payment" in page
    assert "Waiting for your payment" not in page
    assert "Thank you for your order" in shopper.come_back(order)


def test_a_session_that_expired_at_the_provider_ends_the_attempt_and_keeps_the_order_open(
    shopper: Shopper, order: Order, simulator: Simulator
) -> None:
    simulator.expire(session_of(order))

    post_event(event_of(simulator, session_of(order), "checkout.session.expired"))
    deliver_outbox()

    order.refresh_from_db()
    assert (attempt_of(order).status, order.status) == ("expired", "pending")
    first = attempt_of(order)
    page = shopper.client.get(f"/orders/{order.number}/")
    shopper.press(page, f"/orders/{order.number}/pay/")
    assert attempt_of(order).pk != first.pk
    pay(simulator, order)
    shopper.come_back(order)
    assert "Thank you for your order" in shopper.see(order)


def test_an_amount_that_differs_is_held_and_neither_shipped_nor_charged_again(
    shopper: Shopper, order: Order, simulator: Simulator
) -> None:
    PaymentAttempt.objects.update(amount=Decimal("53.00"))
    pay(simulator, order)

    page = shopper.come_back(order)
    deliver_outbox()

    order.refresh_from_db()
    attempt = attempt_of(order)
    assert (attempt.status, order.status, order.payment_status) == ("held", "pending", "pending")
    assert "Confirming your payment" in page
    assert "Nothing has been charged" not in page
    assert f"/orders/{order.number}/pay/" not in page
    assert mail.outbox == []
    assert order.events.filter(kind="payment_held").count() == 1


def test_an_order_with_held_money_keeps_its_pieces_until_staff_decide(
    shopper: Shopper, order: Order, simulator: Simulator
) -> None:
    PaymentAttempt.objects.update(amount=Decimal("53.00"))
    pay(simulator, order)
    shopper.come_back(order)
    Order.objects.update(expires_at=now() - timedelta(minutes=1))

    expired = expiry.sweep()

    assert expired == 0
    assert StockLevel.objects.get().allocated == 2


def test_asking_the_provider_inside_a_transaction_is_refused_before_anything_is_sent(
    order: Order, simulator: Simulator
) -> None:
    with transaction.atomic(), pytest.raises(TransactionRuleBroken):
        settlement.settle(attempt_of(order).pk)
    with transaction.atomic(), pytest.raises(TransactionRuleBroken):
        get_gateway("stripe").fetch(session_id=session_of(order))


def test_a_shopper_who_never_returns_gets_the_mail_with_the_secret_link(
    order: Order, simulator: Simulator, settings: Any
) -> None:
    pay(simulator, order)
    post_event(event_of(simulator, session_of(order), "checkout.session.completed"))
    deliver_outbox()

    (message,) = mail.outbox
    link = next(word for word in message.body.split() if f"/orders/{order.number}/" in word)
    page = Client().get(link.removeprefix(settings.SHOP_URL), follow=True)

    assert "Thank you for your order" in page.content.decode()
