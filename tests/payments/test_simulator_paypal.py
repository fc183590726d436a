"""The simulator's PayPal side over HTTP: its API, its page, its control door."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from payments.simulator.running import Simulator, running_simulator
from tests.payments.paypal import ask_api

ORDERS = "/v2/checkout/orders"
RETURN, CANCEL = "http://shop.example/orders/E-1/returned/?sign=1", "http://shop.example/cart/"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


def order_body(**changes: Any) -> dict[str, Any]:
    """Return what a shop sends for an order of two mugs, 37.00 EUR."""
    amount = {"currency_code": "EUR", "value": "37.00"}
    price = {"currency_code": "EUR", "value": "18.50"}
    unit = {
        "reference_id": "pay_1",
        "custom_id": "pay_1",
        "amount": {**amount, "breakdown": {"item_total": amount}},
        "items": [{"name": "Stoneware mug, moss", "quantity": "2", "unit_amount": price}],
    }
    context = {"return_url": RETURN, "cancel_url": CANCEL, "locale": "en-GB"}
    return {
        "intent": "CAPTURE",
        "purchase_units": [unit | changes],
        "payment_source": {"paypal": {"experience_context": context}},
    }


def open_order(simulator: Simulator, *, key: str = "", **changes: Any) -> dict[str, Any]:
    headers = {"PayPal-Request-Id": key} if key else {}
    made = ask_api(simulator, "POST", ORDERS, json=order_body(**changes), headers=headers)
    assert made.status_code in (200, 201), made.text
    return dict(made.json())


def capture(simulator: Simulator, order_id: str, *, key: str = "c") -> httpx.Response:
    headers = {"PayPal-Request-Id": key}
    return ask_api(simulator, "POST", f"{ORDERS}/{order_id}/capture", json={}, headers=headers)


def issue_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["details"][0]["issue"]


def choose(page: str, **fields: str) -> httpx.Response:
    return httpx.post(page, data=fields)


def page_of(order: dict[str, Any]) -> str:
    return next(link["href"] for link in order["links"] if link["rel"] == "payer-action")


def test_an_order_is_approved_captured_read_back_and_refunded(simulator: Simulator) -> None:
    order = open_order(simulator)
    assert order["status"] == "PAYER_ACTION_REQUIRED"

    simulator.approve_order(order["id"])
    taken = capture(simulator, order["id"]).json()
    [captured] = taken["purchase_units"][0]["payments"]["captures"]
    refunded = ask_api(
        simulator,
        "POST",
        f"/v2/payments/captures/{captured['id']}/refund",
        json={"amount": {"currency_code": "EUR", "value": "7.00"}},
    ).json()

    assert (taken["status"], captured["status"]) == ("COMPLETED", "COMPLETED")
    assert refunded["status"] == "COMPLETED"
    read = ask_api(simulator, "GET", f"{ORDERS}/{order['id']}").json()
    payments = read["purchase_units"][0]["payments"]
    assert payments["captures"][0]["status"] == "PARTIALLY_REFUNDED"
    assert [each["id"] for each in payments["refunds"]] == [refunded["id"]]


def test_the_same_request_id_gives_the_first_order_as_it_is_now(simulator: Simulator) -> None:
    first = open_order(simulator, key="k")
    simulator.approve_order(first["id"])

    again = open_order(simulator, key="k")

    assert (again["id"], again["status"]) == (first["id"], "APPROVED")
    other = ask_api(
        simulator,
        "POST",
        ORDERS,
        json=order_body(custom_id="other"),
        headers={"PayPal-Request-Id": "k"},
    )
    assert issue_of(other) == (422, "DUPLICATE_REQUEST_ID")


def test_capturing_twice_under_one_id_is_one_capture_and_under_another_is_refused(
    simulator: Simulator,
) -> None:
    order = open_order(simulator)
    assert issue_of(capture(simulator, order["id"])) == (422, "ORDER_NOT_APPROVED")
    simulator.approve_order(order["id"])

    first, again = capture(simulator, order["id"]), capture(simulator, order["id"])

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["purchase_units"] == again.json()["purchase_units"]
    assert issue_of(capture(simulator, order["id"], key="d")) == (422, "ORDER_ALREADY_CAPTURED")


def test_an_order_that_nobody_paid_is_unknown_after_three_hours(simulator: Simulator) -> None:
    order = open_order(simulator)

    simulator.advance(3 * 60 * 60)

    assert ask_api(simulator, "GET", f"{ORDERS}/{order['id']}").status_code == 404


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"amount": {"currency_code": "EUR", "value": "0.00"}}, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ({"amount": {"currency_code": "EUR", "value": 37}}, "INVALID_PARAMETER_VALUE"),
        ({"amount": {"currency_code": "EUR", "value": "37.001"}}, "DECIMAL_PRECISION"),
        ({"amount": {"currency_code": "JPY", "value": "37.00"}}, "DECIMALS_NOT_SUPPORTED"),
        ({"amount": {"currency_code": "KWD", "value": "37.00"}}, "CURRENCY_NOT_SUPPORTED"),
        ({"amount": {"currency_code": "EUR", "value": "37.00"}}, "ITEM_TOTAL_REQUIRED"),
        ({"custom_id": "x" * 128}, "INVALID_STRING_LENGTH"),
        ({"shipping": {}}, "INVALID_PARAMETER_VALUE"),
        ({"items": [{"name": "Mug", "quantity": "2"}]}, "MISSING_REQUIRED_PARAMETER"),
    ],
)
def test_an_order_that_paypal_would_refuse_is_refused(
    simulator: Simulator, changes: dict[str, Any], refusal: str
) -> None:
    answer = ask_api(simulator, "POST", ORDERS, json=order_body(**changes))

    assert issue_of(answer)[1] == refusal


def test_parts_that_do_not_add_up_are_refused(simulator: Simulator) -> None:
    wrong = {"currency_code": "EUR", "value": "36.00"}
    answer = ask_api(
        simulator,
        "POST",
        ORDERS,
        json=order_body(
            amount={"currency_code": "EUR", "value": "37.00", "breakdown": {"item_total": wrong}}
        ),
    )

    assert issue_of(answer) == (422, "ITEM_TOTAL_MISMATCH")


def test_nobody_comes_in_without_a_token(simulator: Simulator) -> None:
    wrong = httpx.post(
        f"{simulator.url}/v1/oauth2/token",
        auth=("simulator", "guessed"),
        data={"grant_type": "client_credentials"},
    )
    bare = httpx.get(f"{simulator.url}{ORDERS}/1")

    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert (bare.status_code, bare.json()["name"]) == (401, "AUTHENTICATION_FAILURE")


@pytest.mark.parametrize(
    ("choice", "status"), [("approve", "COMPLETED"), ("review", "PENDING"), ("decline", "")]
)
def test_the_page_lets_the_shopper_decide_and_sends_them_back(
    simulator: Simulator, choice: str, status: str
) -> None:
    order = open_order(simulator)
    page = httpx.get(page_of(order))
    assert page.status_code == 200
    assert "Stoneware mug, moss" in page.text
    assert "2 × €18.50" in page.text
    assert '<span class="line-amount">€37.00</span>' in page.text
    assert "You are PayPal" in page.text

    answer = choose(page_of(order), choice=choice, webhook="never")

    back = urlsplit(answer.headers["Location"])
    assert (answer.status_code, back.path) == (303, "/orders/E-1/returned/")
    assert parse_qs(back.query)["token"] == [order["id"]]
    assert parse_qs(back.query)["sign"] == ["1"]
    taken = capture(simulator, order["id"])
    if not status:
        assert issue_of(taken) == (422, "INSTRUMENT_DECLINED")
        return
    assert taken.json()["purchase_units"][0]["payments"]["captures"][0]["status"] == status
    assert "This payment is done" in httpx.get(page_of(order)).text


def test_the_page_lets_the_shopper_turn_back(simulator: Simulator) -> None:
    order = open_order(simulator)

    answer = choose(page_of(order), choice="cancel")

    assert answer.headers["Location"] == f"{CANCEL}?token={order['id']}"
    assert httpx.get(f"{simulator.url}/checkoutnow?token=NOBODYS").status_code == 404


def test_the_control_door_presses_the_same_buttons(simulator: Simulator) -> None:
    def control(path: str, **wishes: Any) -> dict[str, Any]:
        answer = httpx.post(f"{simulator.url}/_control/paypal/{path}", json=wishes)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    order = open_order(simulator)
    control(f"orders/{order['id']}/approve", outcome="pending", webhook="never")
    taken = capture(simulator, order["id"]).json()
    capture_id = taken["purchase_units"][0]["payments"]["captures"][0]["id"]
    control(f"captures/{capture_id}/complete")
    refunded = ask_api(simulator, "POST", f"/v2/payments/captures/{capture_id}/refund", json={})
    failed = control(f"refunds/{refunded.json()['id']}/fail")
    gone = open_order(simulator)
    control(f"orders/{gone['id']}/expire")

    assert failed["refund"]["status"] == "FAILED"
    assert ask_api(simulator, "GET", f"{ORDERS}/{gone['id']}").status_code == 404
    unknown = httpx.post(
        f"{simulator.url}/_control/paypal/orders/{order['id']}/approve", json={"outcome": "lost"}
    )
    assert unknown.status_code == 400


def test_events_are_listed_a_page_at_a_time(simulator: Simulator) -> None:
    made = [open_order(simulator)["id"] for _order in range(3)]
    for order_id in made:
        simulator.approve_order(order_id, webhook="never")

    first = ask_api(simulator, "GET", "/v1/notifications/webhooks-events?page_size=2").json()
    following = next(link["href"] for link in first["links"] if link["rel"] == "next")
    second = ask_api(simulator, "GET", following.removeprefix(simulator.url)).json()

    told = [each["resource"]["id"] for each in first["events"] + second["events"]]
    assert told == list(reversed(made))
    assert [link["rel"] for link in second["links"]] == ["self"]
    none = ask_api(
        simulator, "GET", "/v1/notifications/webhooks-events?start_time=2099-01-01T00:00:00Z"
    )
    assert none.json()["events"] == []


def test_an_event_is_delivered_once_more_on_request(simulator: Simulator) -> None:
    simulator.approve_order(open_order(simulator)["id"], webhook="never")
    listed = ask_api(simulator, "GET", "/v1/notifications/webhooks-events").json()
    event_id = listed["events"][0]["id"]

    again = httpx.post(f"{simulator.url}/_control/events/{event_id}/deliver", json={})
    resent = ask_api(simulator, "POST", f"/v1/notifications/webhooks-events/{event_id}/resend")

    assert (again.status_code, resent.status_code) == (200, 202)
    states = [each.state for each in simulator.list_deliveries() if each.event == event_id]
    assert states == ["withheld", "pending", "pending"]
