"""The simulator sets money aside as Stripe does: captured in full or in part, cancelled, lapsed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from payments.gateways.stripe_events import RELEVANT_TYPES
from payments.simulator.events import SUBSCRIBED
from payments.simulator.running import Simulator, running_simulator
from tests.payments.simulated import client_of, session_parameters
from tests.shared import shared

DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator) -> stripe.StripeClient:
    return client_of(simulator)


def hold(simulator: Simulator, client: stripe.StripeClient) -> stripe.checkout.Session:
    session = client.v1.checkout.sessions.create(
        params=session_parameters(payment_intent_data={"capture_method": "manual"})
    )
    simulator.approve(session.id)
    return client.v1.checkout.sessions.retrieve(
        session.id, params={"expand": ["payment_intent.latest_charge"]}
    )


def types_about(client: stripe.StripeClient, intent_id: str) -> list[str]:
    events = client.v1.events.list(params={"limit": 100}).data
    return [event.type for event in reversed(events) if intent_id in _names_in(event)]


def _names_in(event: stripe.Event) -> tuple[str, str]:
    subject = event.data.object.to_dict()
    return subject["id"], str(subject.get("payment_intent"))


def test_money_is_set_aside_for_seven_days(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    session = hold(simulator, client)
    intent: Any = session.payment_intent

    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert (intent.status, intent.amount_capturable, intent.amount_received) == (
        "requires_capture",
        3700,
        0,
    )
    charge = intent.latest_charge
    assert (charge.status, charge.captured, charge.amount_captured) == ("succeeded", False, 0)
    card = charge.payment_method_details.card
    assert card.capture_before - charge.created == pytest.approx(7 * DAY, abs=2)
    assert types_about(client, intent.id) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "checkout.session.completed",
    ]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create(params={"payment_intent": intent.id})


def test_a_part_is_captured_once_and_the_rest_is_let_go_of(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    intent: Any = hold(simulator, client).payment_intent
    for amount in (3701, 0):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.capture(intent.id, params={"amount_to_capture": amount})

    for _again in range(2):
        taken = client.v1.payment_intents.capture(
            intent.id,
            params={"amount_to_capture": 2000, "expand": ["latest_charge"]},
            options={"idempotency_key": f"take-{intent.id}"},
        )
        assert (taken.status, taken.amount_received, taken.amount_capturable) == (
            "succeeded",
            2000,
            0,
        )
    charge: Any = taken.latest_charge
    assert (charge.amount_captured, charge.amount_refunded) == (2000, 1700)
    with pytest.raises(stripe.InvalidRequestError) as second:
        client.v1.payment_intents.capture(intent.id)
    assert second.value.code == "payment_intent_unexpected_state"
    refund = client.v1.refunds.create(params={"payment_intent": intent.id})
    assert refund.amount == 2000


def test_what_was_cancelled_cannot_be_captured(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    intent: Any = hold(simulator, client).payment_intent

    ended = client.v1.payment_intents.cancel(
        intent.id, params={"cancellation_reason": "requested_by_customer"}
    )

    assert (ended.status, ended.cancellation_reason) == ("canceled", "requested_by_customer")
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.capture(intent.id)
    assert client.v1.refunds.list(params={"payment_intent": intent.id}).data == []


def test_after_seven_days_it_lapses_with_a_refund_of_what_was_never_taken(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    intent: Any = hold(simulator, client).payment_intent

    simulator.advance(7 * DAY - 60)
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    simulator.advance(120)

    ended = client.v1.payment_intents.retrieve(intent.id)
    assert (ended.status, ended.cancellation_reason) == ("canceled", "automatic")
    (refund,) = client.v1.refunds.list(params={"payment_intent": intent.id}).data
    assert refund.reason == "expired_uncaptured_charge"
    assert "payment_intent.canceled" in types_about(client, intent.id)


def test_the_shop_is_told_what_it_asks_to_be_told() -> None:
    news = {"payment_intent.amount_capturable_updated", "payment_intent.canceled"}
    news |= {"charge.captured"}

    assert news <= SUBSCRIBED
    assert news <= set(RELEVANT_TYPES)
    assert len(RELEVANT_TYPES) == len(set(RELEVANT_TYPES)) <= 20


def test_what_is_sent_stands_in_stripes_own_description() -> None:
    path = shared("data/payments/stripe/spec3-2020-08-27-reduced.json.gz")
    spec = json.loads(gzip.decompress(path.read_bytes()))

    def fields(address: str) -> dict[str, Any]:
        body = spec["paths"][address]["post"]["requestBody"]["content"]
        members: dict[str, Any] = body["application/x-www-form-urlencoded"]["schema"]["properties"]
        return members

    data = fields("/v1/checkout/sessions")["payment_intent_data"]["properties"]
    assert "manual" in data["capture_method"]["enum"]
    assert "amount_to_capture" in fields("/v1/payment_intents/{intent}/capture")
    reason = fields("/v1/payment_intents/{intent}/cancel")["cancellation_reason"]
    assert "requested_by_customer" in reason["enum"]
    refund = spec["components"]["schemas"]["refund"]["properties"]["reason"]
    assert "expired_uncaptured_charge" in refund["enum"]
    intent = spec["components"]["schemas"]["payment_intent"]["properties"]
    assert {"amount_capturable", "amount_received", "capture_method"} <= set(intent)
    assert "requires_capture" in intent["status"]["enum"]
