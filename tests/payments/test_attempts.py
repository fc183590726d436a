"""Starting a payment when the network misbehaves: one attempt, one page, never two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import translation

from orders.models import Order
from orders.services import cancellation, payment
from payments import gateways
from payments.errors import ProviderRefused, ProviderUnavailable
from payments.gateways import stripe as gateway
from payments.models import PaymentAttempt
from payments.simulator.running import Simulator
from shop.clock import now
from shop.transactions import TransactionRuleBroken
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery, place_order
from tests.journeys.shopper import Shopper, attempt_of, session_in, session_of
from tests.payments.simulated import client_of

pytestmark = pytest.mark.django_db

CREATE = "checkout.sessions.create"


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator) -> Iterator[None]:
    yield
    simulator.provider.faults.clear()


def sessions_for(simulator: Simulator, order: Order) -> list[str]:
    references = set(
        PaymentAttempt.objects.filter(pk__in=order.payments.values("attempt")).values_list(
            "reference", flat=True
        )
    )
    found = client_of(simulator).v1.checkout.sessions.list(params={"limit": 100}).data
    return [session.id for session in found if session.client_reference_id in references]


@pytest.mark.parametrize(
    "kind",
    [
        "timeout_before",
        "timeout_after",
        "error_500_before",
        "error_500_after",
        "cut_body",
        "bad_json",
        "status_429",
        "status_409",
    ],
)
def test_a_start_that_went_wrong_leads_to_the_same_page_when_tried_again(
    simulator: Simulator, kind: str
) -> None:
    order = place_order(VariantFactory(stock=3))
    simulator.add_fault(CREATE, kind, seconds=0.05)

    with pytest.raises(ProviderUnavailable):
        payment.start(order)
    assert attempt_of(order).status == "created"
    url = payment.start(order)

    assert sessions_for(simulator, order) == [session_in(url)] == [session_of(order)]
    assert PaymentAttempt.objects.count() == 1


def test_the_shopper_is_told_and_pays_from_the_order_page_when_the_provider_is_back(
    simulator: Simulator,
) -> None:
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory(stock=3))
    simulator.add_fault(CREATE, "error_500_after")

    answer = shopper.client.post("/checkout/", shopper.fill(), follow=True)

    order = Order.objects.get()
    assert answer.redirect_chain == [(f"/orders/{order.number}/", 302)]
    page = answer.content.decode()
    assert "The payment provider does not answer. Nothing was charged; please try again." in page
    to_provider = shopper.press(answer, f"/orders/{order.number}/pay/")
    assert to_provider.url == f"{simulator.url}/pay/{session_of(order)}"
    assert sessions_for(simulator, order) == [session_of(order)]


def test_pressing_pay_again_and_again_leads_to_one_page(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3))

    urls = {payment.start(order) for _ in range(3)}

    assert urls == {f"{simulator.url}/pay/{session_of(order)}"}


def test_a_long_order_started_in_one_language_goes_on_in_another(simulator: Simulator) -> None:
    order = place_order(*[VariantFactory(stock=3) for _ in range(91)])
    simulator.add_fault(CREATE, "timeout_after", seconds=0.05)
    with pytest.raises(ProviderUnavailable):
        payment.start(order)

    with translation.override("de"):
        url = payment.start(order)

    assert sessions_for(simulator, order) == [session_in(url)]


def test_the_provider_is_asked_for_exactly_the_total(simulator: Simulator) -> None:
    order = place_order(
        VariantFactory(price=Decimal("19.99")), VariantFactory(price=Decimal("0.01")), quantity=3
    )

    payment.start(order)

    session = client_of(simulator).v1.checkout.sessions.retrieve(session_of(order))
    assert (session.amount_total, session.currency) == (6490, "eur")
    assert session.customer_email == "ada@example.com"
    assert session.client_reference_id == attempt_of(order).reference


def test_an_attempt_that_grew_too_old_to_open_a_page_is_replaced(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3))
    old = attempt_of(order)
    PaymentAttempt.objects.update(expires_at=now() + timedelta(minutes=29))
    Order.objects.update(expires_at=now() + timedelta(minutes=29))

    payment.start(order)

    order.refresh_from_db()
    assert attempt_of(order).pk != old.pk
    assert attempt_of(order).expires_at == order.expires_at > now() + timedelta(minutes=44)


def test_the_shortest_payment_window_works_too(simulator: Simulator, settings: Any) -> None:
    settings.SHOP_PAYMENT_WINDOW_MINUTES = 35
    order = place_order(VariantFactory(stock=3))
    PaymentAttempt.objects.update(
        created_at=now() - timedelta(minutes=9), expires_at=now() + timedelta(minutes=26)
    )

    assert payment.start(order).startswith(f"{simulator.url}/pay/")


def test_a_paid_order_has_nothing_more_to_pay(simulator: Simulator) -> None:
    make_delivery()
    shopper = Shopper()
    order = shopper.buy(VariantFactory(stock=3))
    page = shopper.client.get(f"/orders/{order.number}/")
    simulator.approve(session_of(order), webhook="never")
    shopper.come_back(order)

    answer = shopper.press(page, f"/orders/{order.number}/pay/")

    assert answer.url == f"/orders/{order.number}/"
    assert PaymentAttempt.objects.count() == 1


def test_the_providers_own_words_of_a_refusal_are_for_staff_and_shoppers_read_ours(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3, price=Decimal(1_000_000)))

    with pytest.raises(ProviderRefused) as refusal:
        payment.start(order)

    assert str(refusal.value) == (
        "The payment provider refused this payment. Nothing was charged; please tell us."
    )
    attempt = attempt_of(order)
    assert (attempt.status, attempt.failure) == (
        "created",
        "parameter_invalid_integer: Invalid integer: 100000000",
    )


def test_a_key_that_the_provider_does_not_take_is_no_word_about_the_payment(
    simulator: Simulator, settings: Any
) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    settings.STRIPE_SECRET_KEY = "sk_test_wrong"
    gateways.get_gateway.cache_clear()

    for call in (lambda: payment.check(order), lambda: cancellation.cancel_unpaid(order, by=None)):
        with pytest.raises(ProviderUnavailable):
            call()

    order.refresh_from_db()
    assert (order.status, attempt_of(order).status) == ("pending", "started")


def test_no_call_leaves_while_a_transaction_is_open(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3))
    calls = [
        lambda: payment.start(order),
        lambda: payment.check(order),
        lambda: gateway.StripeGateway().fetch(session_id="cs_test_1"),
        lambda: gateway.StripeGateway().expire(session_id="cs_test_1"),
        lambda: gateway.StripeGateway().refund(
            payment_id="pi_1", amount=order.total_money, key="k"
        ),
    ]

    for call in calls:
        with transaction.atomic(), pytest.raises(TransactionRuleBroken):
            call()

    assert sessions_for(simulator, order) == []
