"""The simulator's bank: disputes as Stripe tells them, and refunds from the provider's own pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stripe

from payments.simulator.running import Simulator, running_simulator
from tests.payments.simulated import (
    WEBHOOK_SECRET,
    Shop,
    client_of,
    listening_shop,
    session_parameters,
)
from tests.shared import shared


@pytest.fixture
def shop() -> Iterator[Shop]:
    with listening_shop() as shop:
        yield shop


@pytest.fixture
def simulator(shop: Shop) -> Iterator[Simulator]:
    with running_simulator(webhook_url=shop.url, secret=WEBHOOK_SECRET) as simulator:
        yield simulator


@pytest.fixture
def session(simulator: Simulator) -> str:
    made = client_of(simulator).v1.checkout.sessions.create(params=session_parameters())
    simulator.approve(made.id, webhook="never")
    return str(made.id)


def press(simulator: Simulator, path: str, **wishes: Any) -> httpx.Response:
    return httpx.post(f"{simulator.url}/_control/{path}", json=wishes)


def told(simulator: Simulator, shop: Shop) -> list[str]:
    simulator.wait_for_deliveries()
    return shop.types


def test_a_dispute_has_the_members_of_a_real_one(simulator: Simulator, session: str) -> None:
    real = json.loads(shared("data/payments/stripe/fixtures3.json").read_text())
    made = press(simulator, f"sessions/{session}/dispute").json()["dispute"]

    sample = real["resources"]["dispute"]
    assert set(sample) <= set(made)
    assert set(sample["evidence"]) == set(made["evidence"])
    assert set(sample["evidence_details"]) == set(made["evidence_details"])
    assert set(made) <= set(stripe.Dispute.__annotations__) | {"object"}
    [movement] = made["balance_transactions"]
    assert set(movement) <= set(stripe.BalanceTransaction.__annotations__) | {"object"}


def test_the_withdrawal_has_the_members_of_the_sample_event(
    simulator: Simulator, session: str
) -> None:
    path = "data/payments/stripe/webhooks/charge.dispute.funds_withdrawn.json"
    sample = json.loads(shared(path).read_text())["data"]["object"]
    made = press(simulator, f"sessions/{session}/dispute").json()["dispute"]

    # Of an older version: a bare id stood beside the list, and is gone.
    assert set(sample) - {"balance_transaction"} <= set(made)
    [old], [new] = sample["balance_transactions"], made["balance_transactions"]
    assert set(old) <= set(new)
    assert (old["type"], old["amount"] < 0) == (new["type"], new["amount"] < 0)


def test_a_dispute_is_told_taken_and_won(simulator: Simulator, shop: Shop, session: str) -> None:
    made = press(simulator, f"sessions/{session}/dispute", reason="duplicate").json()["dispute"]
    assert told(simulator, shop) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]

    answered = press(simulator, f"disputes/{made['id']}/answer").json()["dispute"]
    won = press(simulator, f"disputes/{made['id']}/win").json()["dispute"]

    assert (made["status"], answered["status"], won["status"]) == (
        "needs_response",
        "under_review",
        "won",
    )
    assert told(simulator, shop) == [
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
    ]
    read = client_of(simulator).v1.disputes.retrieve(made["id"])
    assert [each.amount for each in read.balance_transactions] == [-3700, 3700]
    assert (read.reason, read.status) == ("duplicate", "won")
    charge = client_of(simulator).v1.charges.retrieve(read.charge)
    assert charge.disputed


def test_an_inquiry_leaves_the_money_until_it_becomes_a_dispute(
    simulator: Simulator, shop: Shop, session: str
) -> None:
    made = press(simulator, f"sessions/{session}/dispute", inquiry=True).json()["dispute"]
    assert (made["status"], made["balance_transactions"]) == ("warning_needs_response", [])

    escalated = press(simulator, f"disputes/{made['id']}/escalate").json()["dispute"]
    lost = press(simulator, f"disputes/{made['id']}/lose").json()["dispute"]

    assert (escalated["status"], lost["status"]) == ("needs_response", "lost")
    assert len(lost["balance_transactions"]) == 1


def test_what_a_bank_has_taken_back_cannot_be_refunded(simulator: Simulator, session: str) -> None:
    press(simulator, f"sessions/{session}/dispute")

    answer = press(simulator, f"sessions/{session}/refund")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "charge_disputed"


def test_a_refund_from_the_providers_pages_carries_no_key_of_the_shop(
    simulator: Simulator, shop: Shop, session: str
) -> None:
    made = press(simulator, f"sessions/{session}/refund", amount=700).json()["refund"]

    assert (made["amount"], made["metadata"]) == (700, {})
    assert told(simulator, shop) == ["charge.refunded", "refund.created"]


def test_disputes_charges_and_events_are_listed(simulator: Simulator, session: str) -> None:
    client = client_of(simulator)
    made = press(simulator, f"sessions/{session}/dispute", webhook="never").json()["dispute"]

    disputes = client.v1.disputes.list(params={"charge": made["charge"]})
    charges = client.v1.charges.list(params={"payment_intent": made["payment_intent"]})
    undelivered = client.v1.events.list(
        params={"delivery_success": False, "types": ["charge.dispute.created", "charge.succeeded"]}
    )

    assert [dispute.id for dispute in disputes.data] == [made["id"]]
    assert [charge.id for charge in charges.data] == [made["charge"]]
    assert [event.type for event in undelivered.data] == [
        "charge.dispute.created",
        "charge.succeeded",
    ]
    assert client.v1.events.list(params={"delivery_success": True}).data[-1].type


@pytest.mark.parametrize(
    ("path", "wishes"),
    [
        ("sessions/{session}/dispute", {"reason": "because"}),
        ("sessions/{session}/dispute", {"amount": 3701}),
        ("sessions/{session}/dispute", {"amount": 0}),
        ("sessions/{session}/refund", {"amount": 3701}),
        ("sessions/{session}/refund", {"webhook": "tomorrow"}),
        ("sessions/cs_nothing/dispute", {}),
        ("disputes/du_nothing/win", {}),
        ("disputes/du_nothing/answer", {}),
    ],
)
def test_what_cannot_be_disputed_or_refunded_is_refused(
    simulator: Simulator, session: str, path: str, wishes: dict[str, Any]
) -> None:
    answer = press(simulator, path.format(session=session), **wishes)

    assert answer.status_code in (400, 404)
    assert client_of(simulator).v1.disputes.list().data == []


def test_a_dispute_is_opened_once_and_decided_once(simulator: Simulator, session: str) -> None:
    made = press(simulator, f"sessions/{session}/dispute").json()["dispute"]
    press(simulator, f"disputes/{made['id']}/lose")

    assert press(simulator, f"sessions/{session}/dispute").status_code == 400
    assert press(simulator, f"disputes/{made['id']}/win").status_code == 400
    assert press(simulator, f"disputes/{made['id']}/escalate").status_code == 400
