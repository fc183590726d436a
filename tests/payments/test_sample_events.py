"""Every event that Stripe is known to send, and some that nobody should: stored, and said why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from payments.models import PaymentAttempt, ProviderEvent
from payments.simulator.running import Simulator
from payments.simulator.webhooks import signature_header
from shop.clock import now
from shop.models import OutboxMessage
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.journeys.shopper import Shopper, attempt_of, pay, session_of
from tests.outbox import deliver_outbox
from tests.payments.events import WEBHOOK, event_of, post_event
from tests.payments.simulated import WEBHOOK_SECRET
from tests.shared import list_shared

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("simulator")]

SAMPLES = list_shared("data/payments/stripe/webhooks", "*.json")
ABOUT_NOTHING_OF_OURS = "ignored: about nothing of ours"
UNKNOWN = "ignored: the provider knows nothing by its number"
OUTCOMES = {
    "balance": "ignored: the provider's account, not a payment",
    "charge.dispute.created": UNKNOWN,
    "charge.dispute.funds_reinstated": UNKNOWN,
    "charge.dispute.funds_withdrawn": UNKNOWN,
    "charge.refund.updated": UNKNOWN,
    "charge": ABOUT_NOTHING_OF_OURS,
    "checkout": ABOUT_NOTHING_OF_OURS,
    "coupon": "ignored: the shop keeps its own discounts",
    "customer": "ignored: the shop keeps its own customers",
    "mandate": "ignored: the shop keeps no mandates",
    "payment_intent": ABOUT_NOTHING_OF_OURS,
    "payment_method": "ignored: the shop keeps no cards, it asks for them",
    "payout": "ignored: money on its way to the shop's bank, not a payment",
    "setup_intent": "ignored: nothing is paid by it",
}


def outcome_of(event_type: str) -> str:
    return next(
        OUTCOMES[name] for name in (event_type, event_type.split(".")[0]) if name in OUTCOMES
    )


def post_body(body: bytes, *, secret: str = WEBHOOK_SECRET) -> Any:
    signature = signature_header(body.decode("utf-8", "replace"), secret, at=int(now().timestamp()))
    return Client().post(
        WEBHOOK,
        body,
        content_type="application/json",
        headers={"Stripe-Signature": signature},
    )


@pytest.fixture
def order(simulator: Simulator) -> Order:
    make_delivery()
    order = Shopper().buy(VariantFactory(stock=3))
    pay(simulator, order)
    return order


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_event_is_stored_and_says_why_it_changes_nothing(
    order: Order, sample: Path
) -> None:
    event = json.loads(sample.read_text())

    answers = [post_event(event), post_event(event)]
    deliver_outbox()

    order.refresh_from_db()
    stored = ProviderEvent.objects.get()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (stored.event_id, stored.type) == (event["id"], event["type"])
    assert stored.outcome == outcome_of(event["type"])
    assert stored.processed_at is not None
    assert order.status == "pending"


@pytest.mark.parametrize(
    "sample",
    [path for path in SAMPLES if outcome_of(path.stem) == ABOUT_NOTHING_OF_OURS],
    ids=lambda path: path.stem,
)
def test_a_sample_event_about_our_payment_settles_it(
    simulator: Simulator, order: Order, sample: Path
) -> None:
    event = json.loads(sample.read_text())
    subject = event["data"]["object"]
    subject["metadata"] = {"reference": attempt_of(order).reference}

    assert post_event(event).status_code == 200
    deliver_outbox()

    order.refresh_from_db()
    stored = ProviderEvent.objects.get()
    assert stored.outcome.startswith("attempt is captured")
    assert stored.attempt == attempt_of(order)
    assert (order.status, order.payment_status) == ("placed", "paid")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"evt"',
        b"{",
        b'{"id": 1, "type": "x"}',
        b'{"id": "", "type": "x"}',
        b'{"id": "evt_1"}',
        b'{"id": "' + b"e" * 121 + b'", "type": "x"}',
        b'{"id": "evt_1", "type": "x", "amount": NaN}',
        b'{"id": "evt_1", "type": "x", "amount": -Infinity}',
        b'{"id": "evt_1", "type": "x", "amount": 1e999}',
        b'{"id": "evt_1", "type": "x", "amount": ' + b"9" * 5000 + b"}",
        b'{"id": "evt_1", "type": "x", "data": ' + b"[" * 61 + b"]" * 61 + b"}",
        b'{"id": "evt_1", "type": "x", "data": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"id": "evt_1", "type": "x"} trailing',
    ],
    ids=range(17),
)
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    answer = post_body(body)

    assert answer.status_code == 400
    assert ProviderEvent.objects.count() == 0


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\xc3\x28", b'{"id": "evt_\xff", "type": "x"}'])
def test_a_body_that_is_no_text_is_refused(body: bytes) -> None:
    assert post_body(body).status_code == 400
    assert ProviderEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        ("null", "ignored: about nothing we know"),
        ('{"object": []}', "ignored: about nothing we know"),
        ('{"object": {"object": 7}}', "ignored: about nothing we know"),
        ('{"object": {"object": "dog"}}', "ignored: about dog, which this shop does not use"),
        ('{"object": {"object": "charge", "metadata": [], "id": {}}}', ABOUT_NOTHING_OF_OURS),
        ('{"object": {"object": "charge", "payment_intent": 3}}', ABOUT_NOTHING_OF_OURS),
        ('{"object": {"object": "refund", "id": null}}', ABOUT_NOTHING_OF_OURS),
        ('{"object": {"object": "dispute", "metadata": {"reference": 1}}}', ABOUT_NOTHING_OF_OURS),
    ],
)
def test_an_event_of_an_unheard_of_shape_is_stored_and_set_aside(data: str, outcome: str) -> None:
    answer = post_body(f'{{"id": "evt_1", "type": "x", "data": {data}}}'.encode())
    deliver_outbox()

    assert answer.status_code == 200
    assert ProviderEvent.objects.get().outcome == outcome


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (rb"a\u0000b", "a\ufffdb"),
        (rb"a\ud800b", "a\ufffdb"),
        (rb"\udc00", "\ufffd"),
        (rb"\ud83d\ude00", "\U0001f600"),
    ],
)
def test_characters_that_the_database_does_not_take_are_replaced(sent: bytes, kept: str) -> None:
    body = b'{"id": "evt_%s", "type": "x%s", "%s": ["%s"]}' % (sent, sent, sent, sent)

    answer = post_body(body)

    assert answer.status_code == 200
    stored = ProviderEvent.objects.get()
    assert (stored.event_id, stored.type) == (f"evt_{kept}", f"x{kept}")
    assert stored.payload[kept] == [kept]


def test_an_event_larger_than_any_of_the_providers_is_refused() -> None:
    answer = post_body(b'{"id": "evt_1", "type": "x", "note": "' + b"x" * 512 * 1024 + b'"}')

    assert answer.status_code == 413
    assert ProviderEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("marks", "outcome"),
    [
        ({"account": "acct_other"}, "ignored: of another account (acct_other)"),
        ({"livemode": True}, "ignored: a live event, and this shop's key is for tests"),
    ],
)
def test_an_event_of_another_account_or_mode_changes_nothing(
    simulator: Simulator, order: Order, marks: dict[str, Any], outcome: str
) -> None:
    told = event_of(simulator, session_of(order), "checkout.session.completed")

    answer = post_event(told | marks)
    deliver_outbox()

    order.refresh_from_db()
    assert answer.status_code == 200
    assert ProviderEvent.objects.get().outcome == outcome
    assert OutboxMessage.objects.filter(task="payments.apply_event").count() == 0
    assert order.status == "pending"


def test_a_test_event_changes_nothing_in_a_shop_that_takes_real_money(
    simulator: Simulator, order: Order, settings: Any
) -> None:
    told = event_of(simulator, session_of(order), "checkout.session.completed")
    settings.STRIPE_SECRET_KEY = "sk_live_simulator"

    post_event(told)
    deliver_outbox()

    order.refresh_from_db()
    assert ProviderEvent.objects.get().outcome == (
        "ignored: a test event, and this shop's key is live"
    )
    assert order.status == "pending"


def test_an_event_about_a_wrong_amount_holds_the_payment(
    simulator: Simulator, order: Order
) -> None:
    PaymentAttempt.objects.update(amount=attempt_of(order).amount + 1)

    post_event(event_of(simulator, session_of(order), "checkout.session.completed"))
    deliver_outbox()

    order.refresh_from_db()
    assert ProviderEvent.objects.get().outcome == "attempt is held"
    assert (order.status, attempt_of(order).status) == ("pending", "held")
