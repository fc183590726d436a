"""Every event that PayPal publishes a sample of: stored, and said why, or with its effect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orders.models import Order
from payments.gateways import paypal_signatures
from payments.models import Dispute, PaymentTransaction, ProviderEvent, Refund
from payments.simulator import paypal_events
from payments.simulator.running import Simulator
from tests.journeys.shopper import attempt_of, session_of
from tests.outbox import deliver_outbox
from tests.payments.paypal import paid_order, post
from tests.shared import list_shared

pytestmark = pytest.mark.django_db

SAMPLES = list_shared("data/payments/paypal/webhooks", "*.json")
ABOUT_NOTHING_OF_OURS = "ignored: about nothing of ours"
UNKNOWN = "ignored: the provider knows nothing by its number"
OUTCOMES = {
    "customer.dispute.created": UNKNOWN,
    "customer.dispute.resolved": UNKNOWN,
    "payment.authorization.created": ABOUT_NOTHING_OF_OURS,
    "payment.authorization.voided": ABOUT_NOTHING_OF_OURS,
    "payment.capture.completed": ABOUT_NOTHING_OF_OURS,
    "payment.capture.denied": ABOUT_NOTHING_OF_OURS,
    "payment.capture.pending": ABOUT_NOTHING_OF_OURS,
    "payment.capture.refunded": UNKNOWN,
    "payment.capture.reversed": UNKNOWN,
    "payment.order.cancelled": "ignored: about order, which this shop does not use",
    "payment.order.created": "ignored: about order, which this shop does not use",
    "payment.sale.completed": "ignored: about sale, which this shop does not use",
    "payment.sale.denied": "ignored: about sale, which this shop does not use",
    "payment.sale.pending": "ignored: about sale, which this shop does not use",
    "payment.sale.refunded": "ignored: about sale, which this shop does not use",
    "payment.sale.reversed": "ignored: about sale, which this shop does not use",
    "risk.dispute.created": UNKNOWN,
}


def type_of(sample: Path) -> str:
    """Return the type of a sample's event; after two dashes its name says which of several it is."""
    return sample.stem.partition("--")[0]


def post_twice(simulator: Simulator, body: bytes) -> list[int]:
    paypal_signatures.forget_certificates()
    answers = [post(body, paypal_events.sign(simulator.provider, body)) for _time in range(2)]
    deliver_outbox()
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_event_is_stored_once_and_says_why_it_changes_nothing(
    simulator: Simulator, sample: Path
) -> None:
    body = sample.read_bytes()

    assert post_twice(simulator, body) == [200, 200]

    stored = ProviderEvent.objects.get()
    assert stored.payload == json.loads(body)
    assert stored.type == type_of(sample).upper()
    assert stored.outcome == OUTCOMES[type_of(sample)]
    assert stored.processed_at is not None


def test_no_outcome_is_without_a_sample() -> None:
    assert {type_of(sample) for sample in SAMPLES} == set(OUTCOMES)


@pytest.fixture
def order(simulator: Simulator, settings: Any) -> Order:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return paid_order(simulator)


def assert_effect(order: Order, outcome: str, moved: list[str]) -> None:
    stored = ProviderEvent.objects.get()
    assert (stored.outcome, stored.attempt) == (outcome, attempt_of(order))
    rows = PaymentTransaction.objects.exclude(kind="capture").order_by("pk")
    assert list(rows.values_list("kind", flat=True)) == moved


def only(event_type: str) -> list[Any]:
    found = [sample for sample in SAMPLES if type_of(sample) == event_type]
    assert found
    return [pytest.param(sample, id=sample.stem) for sample in found]


@pytest.mark.parametrize("sample", only("customer.dispute.created") + only("risk.dispute.created"))
def test_a_sample_of_a_new_dispute_about_our_payment_opens_it(
    simulator: Simulator, order: Order, sample: Path
) -> None:
    made = simulator.open_paypal_dispute(session_of(order), webhook="never")
    event = json.loads(sample.read_text())
    event["resource"]["dispute_id"] = made["id"]

    post_twice(simulator, json.dumps(event).encode())

    assert_effect(order, "dispute is needs_response", [])
    assert Dispute.objects.get().provider_id == made["id"]


@pytest.mark.parametrize(
    ("is_won", "end", "moved"), [(True, "won", []), (False, "lost", ["dispute"])]
)
def test_the_sample_of_a_resolved_dispute_about_our_payment_closes_it(
    simulator: Simulator, order: Order, is_won: bool, end: str, moved: list[str]
) -> None:
    made = simulator.open_paypal_dispute(session_of(order), webhook="never")
    simulator.decide_paypal_dispute(made["id"], is_won=is_won, webhook="never")
    [sample] = [each for each in SAMPLES if each.stem == "customer.dispute.resolved"]
    event = json.loads(sample.read_text())
    event["resource"]["dispute_id"] = made["id"]

    post_twice(simulator, json.dumps(event).encode())

    assert_effect(order, f"dispute is {end}", moved)
    assert Dispute.objects.get().closed_at is not None


@pytest.mark.parametrize(
    "sample", only("payment.capture.refunded") + only("payment.capture.reversed")
)
def test_a_sample_of_money_that_went_back_from_our_payment_imports_the_refund(
    simulator: Simulator, order: Order, sample: Path
) -> None:
    made = simulator.begin_paypal_refund(session_of(order), amount="7.00", webhook="never")
    event = json.loads(sample.read_text())
    event["resource"]["id"] = made["id"]

    post_twice(simulator, json.dumps(event).encode())

    assert_effect(order, "refund is succeeded", ["refund"])
    assert Refund.objects.get().provider_id == made["id"]


@pytest.mark.parametrize(
    "sample",
    [
        *(only("payment.capture.completed") + only("payment.capture.denied")),
        *only("payment.capture.pending"),
    ],
)
def test_a_sample_about_our_capture_settles_it(
    simulator: Simulator, order: Order, sample: Path
) -> None:
    event = json.loads(sample.read_text())
    event["resource"]["id"] = attempt_of(order).provider_payment_id

    post_twice(simulator, json.dumps(event).encode())

    assert_effect(order, "attempt is captured", [])


@pytest.mark.parametrize("what", ["refund", "reversal"])
def test_an_event_that_names_the_capture_instead_of_the_refund_imports_it_as_well(
    simulator: Simulator, order: Order, what: str
) -> None:
    simulator.begin_paypal_refund(session_of(order), amount="7.00", webhook="never")
    event = {
        "id": "WH-1",
        "event_type": f"PAYMENT.CAPTURE.{'REFUNDED' if what == 'refund' else 'REVERSED'}",
        "resource_type": "capture",
        "resource": {"id": attempt_of(order).provider_payment_id},
    }

    post_twice(simulator, json.dumps(event).encode())

    assert_effect(order, "attempt is captured, 45.90 EUR kept", ["refund"])


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"id": 7},
        {"id": "x" * 200},
        {"id": None, "links": "none"},
        {"id": "1", "links": [7], "supplementary_data": ["x"], "custom_id": {}},
    ],
)
@pytest.mark.parametrize("kind", ["", "capture", "refund", "dispute", "checkout-order"])
def test_an_event_of_an_unheard_of_shape_is_stored_and_set_aside(
    simulator: Simulator, kind: str, resource: dict[str, Any]
) -> None:
    event = {"id": "WH-1", "event_type": "X", "resource_type": kind, "resource": resource}

    assert post_twice(simulator, json.dumps(event).encode()) == [200, 200]

    assert ProviderEvent.objects.get().outcome in (ABOUT_NOTHING_OF_OURS, UNKNOWN)


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "WH-1", "event_type": "X", "resource": {"amount": NaN}}',
        b'{"id": "' + b"e" * 121 + b'", "event_type": "X", "resource": {}}',
        b'{"id": "WH-1", "event_type": "X", "resource": ' + b"[" * 70 + b"]" * 70 + b"}",
    ],
)
def test_a_signed_body_that_cannot_be_stored_is_refused(simulator: Simulator, body: bytes) -> None:
    assert post_twice(simulator, body) == [400, 400]
    assert ProviderEvent.objects.count() == 0


def test_characters_that_the_database_does_not_take_are_replaced(simulator: Simulator) -> None:
    body = rb'{"id": "WH-1", "event_type": "X", "resource": {"note": "a\u0000b"}}'

    assert post_twice(simulator, body) == [200, 200]
    assert ProviderEvent.objects.get().payload["resource"]["note"] == "a�b"
