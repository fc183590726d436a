"""The simulator's webhooks: signed as the SDK expects, and late, twice or never when asked."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
import stripe

from payments.simulator.running import Simulator, running_simulator
from payments.simulator.webhooks import signature_header
from tests.payments.simulated import (
    WEBHOOK_SECRET,
    Shop,
    client_of,
    listening_shop,
    session_parameters,
)

PAID = ["charge.succeeded", "checkout.session.completed", "payment_intent.succeeded"]


@pytest.fixture
def shop() -> Iterator[Shop]:
    with listening_shop() as shop:
        yield shop


@pytest.fixture
def simulator(shop: Shop) -> Iterator[Simulator]:
    with running_simulator(webhook_url=shop.url, secret=WEBHOOK_SECRET) as simulator:
        yield simulator


def open_session(simulator: Simulator) -> stripe.checkout.Session:
    return client_of(simulator).v1.checkout.sessions.create(params=session_parameters())


def test_a_payment_is_told_to_the_shop_with_a_signature_the_sdk_accepts(
    simulator: Simulator, shop: Shop
) -> None:
    session = open_session(simulator)

    simulator.approve(session.id)
    simulator.wait_for_deliveries()

    assert shop.types == PAID
    told = next(event for event in shop.events if event.type == "checkout.session.completed")
    assert told.data.object.id == session.id
    assert told.data.object.payment_status == "paid"
    assert told.data.object.metadata.to_dict() == {"attempt": "41"}


def test_a_signature_with_another_secret_is_not_accepted() -> None:
    header = signature_header("{}", "whsec_other", at=int(time.time()))

    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header("{}", header, WEBHOOK_SECRET, 300)


def test_a_late_webhook_comes_when_its_time_is_there(simulator: Simulator, shop: Shop) -> None:
    session = open_session(simulator)

    httpx.post(session.url, data={"choice": "approve", "webhook": "late"})
    simulator.advance(19)
    simulator.wait_for_deliveries()
    told_early = list(shop.types)
    simulator.advance(1)
    simulator.wait_for_deliveries()

    assert told_early == []
    assert shop.types == PAID


def test_a_doubled_webhook_brings_the_same_event_twice(simulator: Simulator, shop: Shop) -> None:
    session = open_session(simulator)

    httpx.post(session.url, data={"choice": "approve", "webhook": "twice"})
    simulator.wait_for_deliveries()

    assert shop.types == sorted(PAID + PAID)
    assert len({event.id for event in shop.events}) == 3


def test_a_webhook_that_never_comes_can_still_be_read_through_the_api(
    simulator: Simulator, shop: Shop
) -> None:
    session = open_session(simulator)

    httpx.post(session.url, data={"choice": "approve", "webhook": "never"})
    simulator.advance(24 * 60 * 60)
    simulator.wait_for_deliveries()

    assert shop.events == []
    assert {each.state for each in simulator.list_deliveries()} == {"withheld"}
    completed = client_of(simulator).v1.events.list(params={"type": "checkout.session.completed"})
    assert [event.data.object.id for event in completed.data] == [session.id]


def test_a_refused_webhook_comes_again_after_growing_pauses() -> None:
    with (
        listening_shop(refusals=2) as shop,
        running_simulator(webhook_url=shop.url, secret=WEBHOOK_SECRET) as simulator,
    ):
        simulator.expire(open_session(simulator).id)
        simulator.wait_for_deliveries()
        [first] = simulator.list_deliveries()
        simulator.advance(1)
        simulator.wait_for_deliveries()
        [second] = simulator.list_deliveries()
        simulator.advance(4)
        simulator.wait_for_deliveries()
        too_early = shop.calls
        simulator.advance(1)
        simulator.wait_for_deliveries()
        [last] = simulator.list_deliveries()

    assert (first.state, first.attempts, first.answer) == ("pending", 1, "HTTP 503")
    assert (second.state, second.attempts) == ("pending", 2)
    assert too_early == 2
    assert (last.state, last.attempts, last.answer) == ("delivered", 3, "HTTP 200")
    assert shop.types == ["checkout.session.expired"]


def test_a_shop_that_is_down_is_told_when_it_is_back(simulator: Simulator, shop: Shop) -> None:
    address, simulator.webhook_url = simulator.webhook_url, "http://127.0.0.1:9/webhooks"
    simulator.approve(open_session(simulator).id)
    simulator.wait_for_deliveries()

    simulator.webhook_url = address
    simulator.advance(1)
    simulator.wait_for_deliveries()

    assert shop.types == PAID


def test_refunds_are_told_and_a_refund_sent_back_too(simulator: Simulator, shop: Shop) -> None:
    session = open_session(simulator)
    simulator.approve(session.id, webhook="never")
    client = client_of(simulator)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    refund = client.v1.refunds.create(params={"payment_intent": intent, "amount": 700})

    answer = httpx.post(f"{simulator.url}/_control/refunds/{refund.id}/fail", json={})
    simulator.wait_for_deliveries()

    assert answer.status_code == 200
    assert shop.types == ["charge.refunded", "refund.created", "refund.failed", "refund.updated"]
    assert client.v1.refunds.retrieve(refund.id).status == "failed"
    charge = client.v1.payment_intents.retrieve(intent, params={"expand": ["latest_charge"]})
    assert charge.latest_charge.amount_refunded == 0


def test_a_declined_payment_is_told(simulator: Simulator, shop: Shop) -> None:
    simulator.decline(open_session(simulator).id)
    simulator.wait_for_deliveries()

    assert shop.types == ["payment_intent.payment_failed"]
    assert shop.events[0].data.object.last_payment_error.code == "card_declined"
