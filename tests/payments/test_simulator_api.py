"""The simulator's API, driven by the real Stripe SDK over HTTP."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stripe

from payments.simulator.running import Simulator, running_simulator
from tests.payments.simulated import (
    SECRET_KEY,
    client_of,
    listening_shop,
    mug,
    session_parameters,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator) -> stripe.StripeClient:
    return client_of(simulator)


def refusal_of(client: stripe.StripeClient, **changes: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.checkout.sessions.create(params=session_parameters(**changes))
    assert client.v1.checkout.sessions.list().data == []
    return caught.value


def paid_session(simulator: Simulator, client: stripe.StripeClient) -> stripe.checkout.Session:
    session = client.v1.checkout.sessions.create(params=session_parameters())
    simulator.approve(session.id)
    return client.v1.checkout.sessions.retrieve(session.id)


def test_an_order_is_paid_read_back_and_refunded_in_full(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    session = client.v1.checkout.sessions.create(params=session_parameters())
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.amount_total, session.currency) == (3700, "eur")
    assert session.payment_intent is None
    assert session.url == f"{simulator.url}/pay/{session.id}"

    simulator.approve(session.id)
    paid = client.v1.checkout.sessions.retrieve(
        session.id, params={"expand": ["payment_intent.latest_charge", "line_items"]}
    )
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.metadata.to_dict() == {"attempt": "41"}
    assert paid.client_reference_id == "E-1001"
    assert paid.customer_details.email == "ada@example.com"
    assert [line.amount_total for line in paid.line_items.data] == [3700]
    intent = paid.payment_intent
    assert (intent.status, intent.amount_received) == ("succeeded", 3700)
    assert intent.metadata.to_dict() == {"order": "E-1001"}
    assert (intent.latest_charge.paid, intent.latest_charge.amount_captured) == (True, 3700)
    assert client.v1.payment_intents.retrieve(intent.id).latest_charge == intent.latest_charge.id
    listed = client.v1.checkout.sessions.list(params={"payment_intent": intent.id})
    assert [each.id for each in listed.data] == [session.id]

    refund = client.v1.refunds.create(
        params={"payment_intent": intent.id, "reason": "requested_by_customer"}
    )
    assert (refund.amount, refund.status) == (3700, "succeeded")
    assert client.v1.refunds.retrieve(refund.id).reason == "requested_by_customer"
    charge = client.v1.charges.retrieve(intent.latest_charge.id, params={"expand": ["refunds"]})
    assert (charge.refunded, charge.amount_refunded) == (True, 3700)
    assert [each.id for each in charge.refunds.data] == [refund.id]


def test_more_than_was_paid_is_never_refunded(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    intent = paid_session(simulator, client).payment_intent
    client.v1.refunds.create(params={"payment_intent": intent, "amount": 3000})

    with pytest.raises(stripe.InvalidRequestError, match=r"7\.00 eur") as too_much:
        client.v1.refunds.create(params={"payment_intent": intent, "amount": 701})
    client.v1.refunds.create(params={"payment_intent": intent, "amount": 700})
    with pytest.raises(stripe.InvalidRequestError) as nothing_left:
        client.v1.refunds.create(params={"payment_intent": intent, "amount": 1})

    assert (too_much.value.http_status, too_much.value.param) == (400, "amount")
    assert nothing_left.value.code == "charge_already_refunded"
    amounts = [
        each.amount for each in client.v1.refunds.list(params={"payment_intent": intent}).data
    ]
    assert amounts == [700, 3000]


def test_an_unpaid_order_cannot_be_refunded(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    session = client.v1.checkout.sessions.create(params=session_parameters())
    simulator.decline(session.id)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent

    with pytest.raises(stripe.InvalidRequestError, match="no successful charge"):
        client.v1.refunds.create(params={"payment_intent": intent})

    assert client.v1.refunds.list().data == []


def test_a_declined_card_leaves_the_session_open_for_another_try(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    session = client.v1.checkout.sessions.create(params=session_parameters())

    simulator.decline(session.id, decline_code="insufficient_funds")

    tried = client.v1.checkout.sessions.retrieve(
        session.id, params={"expand": ["payment_intent.latest_charge"]}
    )
    assert (tried.status, tried.payment_status) == ("open", "unpaid")
    assert tried.payment_intent.status == "requires_payment_method"
    assert tried.payment_intent.last_payment_error.decline_code == "insufficient_funds"
    assert tried.payment_intent.latest_charge.status == "failed"
    simulator.approve(session.id)
    paid = client.v1.payment_intents.retrieve(tried.payment_intent.id)
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)


def test_the_shop_closes_a_session_and_nobody_can_pay_it(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    session = client.v1.checkout.sessions.create(params=session_parameters())
    simulator.decline(session.id)

    closed = client.v1.checkout.sessions.expire(session.id)

    assert (closed.status, closed.url) == ("expired", None)
    assert client.v1.payment_intents.retrieve(closed.payment_intent).status == "canceled"
    with pytest.raises(Exception, match="status of `expired`"):
        simulator.approve(session.id)
    with pytest.raises(stripe.InvalidRequestError, match="status of `expired`"):
        client.v1.checkout.sessions.expire(session.id)


def test_a_paid_session_cannot_be_closed(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = paid_session(simulator, client)

    with pytest.raises(stripe.InvalidRequestError, match="status of `complete`"):
        client.v1.checkout.sessions.expire(session.id)

    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_session_expires_by_itself(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(
        params=session_parameters(expires_at=int(time.time()) + 31 * 60)
    )

    simulator.advance(31 * 60 + 1)

    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    events = client.v1.events.list(params={"type": "checkout.session.expired"}).data
    assert [event.data.object.id for event in events] == [session.id]


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"colour": "moss"}, "parameter_unknown", "colour"),
        ({"metadata": {"k": "v" * 501}}, None, "metadata[k]"),
        ({"metadata": {str(number): "v" for number in range(51)}}, None, "metadata"),
        ({"mode": "subscription"}, None, "mode"),
        ({"mode": "gift"}, None, "mode"),
        ({"locale": "klingon"}, None, "locale"),
        ({"expires_at": "tomorrow"}, "parameter_invalid_integer", "expires_at"),
        ({"expires_at": 1_000_000_000}, None, "expires_at"),
        ({"success_url": "javascript:alert(1)"}, "url_invalid", "success_url"),
        ({"success_url": ""}, "parameter_invalid_empty", "success_url"),
        ({"customer_email": "ada"}, "email_invalid", "customer_email"),
        ({"line_items": []}, "parameter_missing", "line_items"),
        ({"line_items": "mug"}, None, "line_items"),
        ({"discounts": [{"coupon": "SPRING"}]}, None, "discounts"),
        (
            {"line_items": [mug(quantity=0)]},
            "parameter_invalid_integer",
            "line_items[0][quantity]",
        ),
        (
            {"line_items": [mug(unit_amount="18.50")]},
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        (
            {"line_items": [mug(unit_amount=-1)]},
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        (
            {"line_items": [mug(currency="EUR")]},
            None,
            "line_items[0][price_data][currency]",
        ),
        (
            {"line_items": [mug(), mug(currency="usd")]},
            None,
            "line_items",
        ),
        (
            {"line_items": [{"quantity": 1, "price_data": {"unit_amount": 5}}]},
            "parameter_missing",
            "line_items[0][price_data][currency]",
        ),
        ({"line_items": [mug(unit_amount=0)]}, "amount_too_small", "line_items"),
        (
            {"line_items": [mug(unit_amount=90_000_000)]},
            "amount_too_large",
            "line_items",
        ),
        ({"line_items": [mug()] * 101}, None, "line_items"),
    ],
)
def test_a_wrong_parameter_is_named_and_nothing_is_made(
    client: stripe.StripeClient, changes: dict[str, Any], code: str | None, param: str
) -> None:
    refusal = refusal_of(client, **changes)

    assert (refusal.http_status, refusal.code, refusal.param) == (400, code, param)


@pytest.mark.parametrize("name", ["mode", "success_url", "line_items"])
def test_a_missing_parameter_is_named(client: stripe.StripeClient, name: str) -> None:
    parameters = session_parameters()
    del parameters[name]

    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.checkout.sessions.create(params=parameters)

    assert (caught.value.code, caught.value.param) == ("parameter_missing", name)


@pytest.mark.parametrize(
    ("currency", "units", "is_taken"),
    [
        ("jpy", 1850, True),
        ("kwd", 1850, True),
        ("kwd", 1851, False),
        ("isk", 185000, True),
        ("isk", 185050, False),
    ],
)
def test_amounts_follow_the_decimals_of_their_currency(
    client: stripe.StripeClient, currency: str, units: int, is_taken: bool
) -> None:
    parameters = session_parameters(
        line_items=[mug(quantity=1, unit_amount=units, currency=currency)]
    )

    if is_taken:
        assert client.v1.checkout.sessions.create(params=parameters).amount_total == units
    else:
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.checkout.sessions.create(params=parameters)


def test_a_wrong_key_is_refused(simulator: Simulator) -> None:
    with pytest.raises(stripe.AuthenticationError) as caught:
        client_of(simulator, key="sk_test_other1234").v1.balance.retrieve()

    assert caught.value.http_status == 401
    assert "other" not in str(caught.value)


def test_no_key_is_refused_and_basic_authentication_works(simulator: Simulator) -> None:
    basic = base64.b64encode(f"{SECRET_KEY}:".encode()).decode()

    nobody = httpx.get(f"{simulator.url}/v1/balance")
    somebody = httpx.get(f"{simulator.url}/v1/balance", headers={"Authorization": f"Basic {basic}"})

    assert nobody.status_code == 401
    assert nobody.json()["error"]["type"] == "invalid_request_error"
    assert nobody.headers["Request-Id"].startswith("req_")
    assert somebody.status_code == 200


def test_what_does_not_exist_is_told_in_stripes_words(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as no_session:
        client.v1.checkout.sessions.retrieve("cs_test_nothing")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL") as no_door:
        client.v1.customers.list()

    assert (no_session.value.http_status, no_session.value.code) == (404, "resource_missing")
    assert no_door.value.http_status == 404


def test_the_same_key_gets_the_same_answer_and_makes_one_session(
    client: stripe.StripeClient,
) -> None:
    options = {"idempotency_key": "order-E-1001"}

    first = client.v1.checkout.sessions.create(params=session_parameters(), options=options)
    second = client.v1.checkout.sessions.create(params=session_parameters(), options=options)

    assert second.last_response.body == first.last_response.body
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_the_same_key_for_another_request_is_refused(client: stripe.StripeClient) -> None:
    options = {"idempotency_key": "order-E-1001"}
    client.v1.checkout.sessions.create(params=session_parameters(), options=options)

    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(
            params=session_parameters(client_reference_id="E-1002"), options=options
        )

    assert len(client.v1.checkout.sessions.list().data) == 1


def test_a_refused_refund_is_refused_again_with_its_key(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    intent = paid_session(simulator, client).payment_intent
    parameters = {"payment_intent": intent, "amount": 9999}
    options = {"idempotency_key": "refund-1"}

    answers = []
    for _attempt in range(2):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.refunds.create(params=parameters, options=options)
        answers.append(caught.value.headers.get("Idempotent-Replayed"))

    assert answers == [None, "true"]


def test_a_key_is_free_again_after_a_wrong_parameter(client: stripe.StripeClient) -> None:
    options = {"idempotency_key": "order-E-1001"}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(
            params=session_parameters(customer_email="ada"), options=options
        )

    session = client.v1.checkout.sessions.create(params=session_parameters(), options=options)

    assert session.status == "open"


def test_two_requests_at_once_with_one_key_make_one_session(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    simulator.add_fault("checkout.sessions.create", "slow", seconds=0.5)
    options = {"idempotency_key": "order-E-1001"}
    outcomes: list[int] = []

    def place() -> None:
        try:
            client_of(simulator).v1.checkout.sessions.create(
                params=session_parameters(), options=options
            )
            outcomes.append(200)
        except stripe.StripeError as error:
            outcomes.append(error.http_status)

    threads = [threading.Thread(target=place) for _shopper in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [200, 409]
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_events_are_listed_by_time_type_and_page(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    before = int(time.time()) - 1
    intent = paid_session(simulator, client).payment_intent
    client.v1.refunds.create(params={"payment_intent": intent})

    everything = client.v1.events.list(params={"created": {"gte": before}}).data
    first_page = client.v1.events.list(params={"limit": 2})
    second_page = client.v1.events.list(
        params={"limit": 10, "starting_after": first_page.data[-1].id}
    )
    charges = client.v1.events.list(params={"type": "charge.*"}).data

    assert [event.type for event in everything] == [
        "charge.refunded",
        "refund.created",
        "checkout.session.completed",
        "payment_intent.succeeded",
        "charge.succeeded",
        "payment_intent.created",
    ]
    assert [event.id for event in [*first_page.data, *second_page.data]] == [
        event.id for event in everything
    ]
    assert (first_page.has_more, second_page.has_more) == (True, False)
    assert [event.type for event in charges] == ["charge.refunded", "charge.succeeded"]
    assert charges[0].data.previous_attributes.to_dict() == {"amount_refunded": 0}
    assert client.v1.events.list(params={"created": {"gte": before + 3600}}).data == []
    assert client.v1.events.retrieve(everything[0].id).api_version == stripe.api_version


def test_what_was_answered_survives_a_restart(tmp_path: Any) -> None:
    books = str(tmp_path / "simulator.sqlite3")
    options = {"idempotency_key": "order-E-1001"}
    with running_simulator(state=books) as simulator:
        first = client_of(simulator).v1.checkout.sessions.create(
            params=session_parameters(), options=options
        )
        simulator.approve(first.id)

    with running_simulator(state=books) as simulator, listening_shop() as shop:
        client = client_of(simulator)
        again = client.v1.checkout.sessions.create(params=session_parameters(), options=options)
        known = client.v1.checkout.sessions.retrieve(first.id)
        simulator.webhook_url = shop.url
        simulator.wait_for_deliveries()

    assert again.id == first.id
    assert known.payment_status == "paid"
    assert shop.types == [
        "charge.succeeded",
        "checkout.session.completed",
        "payment_intent.succeeded",
    ]


def test_garbage_is_answered_and_never_breaks_the_simulator(simulator: Simulator) -> None:
    headers = {"Authorization": f"Bearer {SECRET_KEY}", **FORM}
    address = f"{simulator.url}/v1/checkout/sessions"

    statuses = [
        httpx.post(address, content=b"a[b[c=1&&&=", headers=headers).status_code,
        httpx.post(address, content=b"mode=payment&mode[x]=1", headers=headers).status_code,
        httpx.post(address, content=b"\xff\xfe\x00", headers=headers).status_code,
        httpx.post(address, content=b"line_items[0][0][0]=1", headers=headers).status_code,
        httpx.post(address, content=b"x" * 1_000_001, headers=headers).status_code,
        httpx.post(address, json={"mode": "payment"}, headers=headers | {}).status_code,
        httpx.get(f"{simulator.url}/v1/events?limit=0", headers=headers).status_code,
        httpx.get(f"{simulator.url}/v1/events?type=[[*", headers=headers).status_code,
        httpx.get(f"{simulator.url}/v1/%00", headers=headers).status_code,
    ]

    assert statuses == [400, 400, 400, 400, 413, 400, 400, 200, 404]
    assert json.loads(httpx.get(f"{simulator.url}/v1/balance", headers=headers).text)["object"] == (
        "balance"
    )
