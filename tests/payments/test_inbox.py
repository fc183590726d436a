"""The provider's door: what is not its own is refused, what is known is not stored twice."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from payments.models import ProviderEvent
from payments.simulator.running import Simulator
from shop.clock import now
from shop.models import OutboxMessage
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.journeys.shopper import Shopper, attempt_of, pay, session_of
from tests.outbox import deliver_outbox
from tests.payments.events import WEBHOOK, event_of, post_event

pytestmark = pytest.mark.django_db

UNKNOWN = {
    "id": "evt_unknown",
    "type": "customer.created",
    "data": {"object": {"id": "cus_1", "object": "customer"}},
}


@pytest.fixture
def order(simulator: Simulator) -> Order:
    make_delivery()
    order = Shopper().buy(VariantFactory(stock=3))
    pay(simulator, order)
    return order


def told(simulator: Simulator, order: Order) -> dict[str, Any]:
    return event_of(simulator, session_of(order), "checkout.session.completed")


def assert_refused(answer: Any, order: Order) -> None:
    order.refresh_from_db()
    assert answer.status_code == 400
    assert ProviderEvent.objects.count() == 0
    assert OutboxMessage.objects.filter(task="payments.apply_event").count() == 0
    assert order.status == "pending"


def test_a_forged_signature_is_refused(simulator: Simulator, order: Order) -> None:
    assert_refused(post_event(told(simulator, order), secret="whsec_guessed"), order)


def test_a_signature_older_than_five_minutes_is_refused(simulator: Simulator, order: Order) -> None:
    assert_refused(post_event(told(simulator, order), age=301), order)


@pytest.mark.parametrize("header", ["", "t=,v1=", "t=abc,v1=def", "nonsense", "t=1,v1=ÿ", "v1=1"])
def test_a_broken_signature_header_is_refused(
    simulator: Simulator, order: Order, header: str
) -> None:
    answer = Client().post(
        WEBHOOK,
        json.dumps(told(simulator, order)),
        content_type="application/json",
        headers={"Stripe-Signature": header},
    )

    assert_refused(answer, order)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"{}", b"null", b'{"data": 1}'])
def test_a_body_that_is_no_event_is_refused(
    simulator: Simulator, order: Order, body: bytes
) -> None:
    answer = Client().post(WEBHOOK, body, content_type="application/json")

    assert_refused(answer, order)


def test_a_length_that_is_no_number_is_refused(client: Client) -> None:
    answer = client.post(WEBHOOK, b"{}", content_type="application/json", CONTENT_LENGTH="many")

    assert answer.status_code in (400, 413)


def test_the_second_of_two_secrets_is_good_while_they_are_exchanged(
    simulator: Simulator, order: Order, settings: Any
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_simulator"]

    assert post_event(told(simulator, order)).status_code == 200


def test_an_event_told_three_times_is_stored_and_worked_on_once(
    simulator: Simulator, order: Order
) -> None:
    event = told(simulator, order)

    answers = [post_event(event) for _ in range(3)]
    deliver_outbox()
    again = post_event(event)

    assert [answer.status_code for answer in [*answers, again]] == [200, 200, 200, 200]
    stored = ProviderEvent.objects.get()
    assert (stored.event_id, stored.type) == (event["id"], "checkout.session.completed")
    assert (stored.outcome, stored.attempt) == ("attempt is captured", attempt_of(order))
    assert OutboxMessage.objects.filter(task="payments.apply_event").count() == 1


def test_an_event_about_something_unknown_is_stored_and_set_aside(order: Order) -> None:
    answer = post_event(UNKNOWN)
    deliver_outbox()

    order.refresh_from_db()
    assert answer.status_code == 200
    assert ProviderEvent.objects.get().outcome == "ignored: the shop keeps its own customers"
    assert order.status == "pending"


def test_an_event_about_another_shops_session_is_set_aside(
    simulator: Simulator, order: Order
) -> None:
    event = told(simulator, order)
    event["data"]["object"] |= {"id": "cs_test_of_another_shop", "metadata": {}}
    event["data"]["object"]["payment_intent"] = "pi_of_another_shop"

    post_event(event)
    deliver_outbox()

    order.refresh_from_db()
    assert ProviderEvent.objects.get().outcome == "ignored: about nothing of ours"
    assert order.status == "pending"


def test_an_event_is_never_believed_but_only_an_occasion_to_ask(
    simulator: Simulator,
) -> None:
    make_delivery()
    unpaid = Shopper().buy(VariantFactory(stock=3))
    claim = {
        "id": "evt_claim",
        "type": "checkout.session.completed",
        "data": {
            "object": {
                "id": session_of(unpaid),
                "object": "checkout.session",
                "payment_status": "paid",
            }
        },
    }

    post_event(claim)
    deliver_outbox()

    unpaid.refresh_from_db()
    assert (unpaid.status, ProviderEvent.objects.get().outcome) == (
        "pending",
        "attempt is started",
    )


def test_the_provider_cannot_be_asked_so_the_event_waits_and_is_worked_on_later(
    simulator: Simulator, order: Order
) -> None:
    event = told(simulator, order)
    simulator.add_fault("checkout.sessions.retrieve", "error_500_before")
    post_event(event)

    with pytest.raises(AssertionError, match="ProviderUnavailable"):
        deliver_outbox()

    waiting = OutboxMessage.objects.get(task="payments.apply_event")
    assert (waiting.attempts, waiting.done_at, waiting.dead_at) == (1, None, None)
    OutboxMessage.objects.update(available_at=now() - timedelta(minutes=10), error="")
    deliver_outbox()
    order.refresh_from_db()
    assert order.status == "placed"


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_posts_are_taken(client: Client, method: str) -> None:
    assert getattr(client, method)(WEBHOOK).status_code == 405
