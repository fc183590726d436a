"""The simulator's PayPal as a book-keeper: its report, its disputes, its own refunds, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from payments.simulator.running import Simulator, running_simulator
from shop.clock import now
from tests.payments.paypal import ask_api
from tests.payments.test_simulator_paypal import capture, issue_of, open_order

REPORT, DISPUTES = "/v1/reporting/transactions", "/v1/customer/disputes"
ENTRY_MEMBERS = {
    *("paypal_account_id", "transaction_id", "paypal_reference_id", "paypal_reference_id_type"),
    *("transaction_event_code", "transaction_initiation_date", "transaction_updated_date"),
    *("transaction_amount", "fee_amount", "transaction_status", "invoice_id", "custom_field"),
    "protection_eligibility",
}
"""Of those that PayPal's reference names, what the simulator writes."""
DISPUTE_MEMBERS = {
    *("dispute_id", "create_time", "update_time", "disputed_transactions", "reason", "status"),
    *("dispute_amount", "dispute_life_cycle_stage", "dispute_channel", "dispute_outcome"),
    *("seller_response_due_date", "money_movements", "links"),
}


@pytest.fixture(scope="module")
def _running() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(_running: Simulator) -> Simulator:
    _running.provider.store._run("DELETE FROM documents")
    _running.provider.store._run("DELETE FROM answers")
    _running.provider.faults.clear()
    _running.provider.paypal_report_lag = 0
    return _running


@pytest.fixture
def order(simulator: Simulator) -> str:
    """An order of 37.00 EUR that is paid."""
    order_id = str(open_order(simulator)["id"])
    simulator.approve_order(order_id, webhook="never")
    assert capture(simulator, order_id).status_code == 201
    return order_id


def control(simulator: Simulator, path: str, **wishes: Any) -> httpx.Response:
    return httpx.post(f"{simulator.url}/_control/paypal/{path}", json=wishes)


def report(simulator: Simulator, **asked: str) -> httpx.Response:
    query = {
        "start_date": (now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end_date": (now() + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return ask_api(simulator, "GET", REPORT, params={**query, **asked})


def entries(simulator: Simulator, **asked: str) -> list[dict[str, Any]]:
    listed = report(simulator, **asked).json()["transaction_details"]
    return [each["transaction_info"] for each in listed]


def told(simulator: Simulator) -> list[str]:
    listed = ask_api(simulator, "GET", "/v1/notifications/webhooks-events?page_size=50").json()
    return [each["event_type"] for each in reversed(listed["events"])]


def test_the_report_tells_payments_with_their_fee_refunds_and_reversals(
    simulator: Simulator, order: str
) -> None:
    assert control(simulator, f"orders/{order}/refund", amount="7.00").status_code == 200
    dispute = control(simulator, f"orders/{order}/dispute", amount="30.00").json()["dispute"]
    assert control(simulator, f"disputes/{dispute['id']}/lose").status_code == 200

    seen = entries(simulator)

    assert [
        (each["transaction_event_code"], each["transaction_amount"]["value"]) for each in seen
    ] == [("T0006", "37.00"), ("T1107", "-7.00"), ("T1106", "-30.00")]
    assert (seen[0]["fee_amount"]["value"], seen[0]["custom_field"]) == ("-1.27", "pay_1")
    assert seen[0]["transaction_status"] == "V"
    assert all(set(each) <= ENTRY_MEMBERS for each in seen)
    assert told(simulator)[2:] == [
        "PAYMENT.CAPTURE.REFUNDED",
        "CUSTOMER.DISPUTE.CREATED",
        "PAYMENT.CAPTURE.REVERSED",
        "CUSTOMER.DISPUTE.RESOLVED",
    ]


def test_the_report_has_pages_and_is_behind_as_told(simulator: Simulator, order: str) -> None:
    for _time in range(2):
        control(simulator, f"orders/{order}/refund", amount="1.00")

    pages = [report(simulator, page_size="2", page=str(number)).json() for number in (1, 2, 3)]

    assert [len(each["transaction_details"]) for each in pages] == [2, 1, 0]
    assert {(each["total_items"], each["total_pages"]) for each in pages} == {(3, 2)}
    assert control(simulator, "report", seconds=3600).json() == {"seconds": 3600}
    assert entries(simulator) == []
    assert control(simulator, "report", seconds=-1).status_code == 400


@pytest.mark.parametrize(
    "asked",
    [
        {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-02-01T00:00:01Z"},
        {"start_date": "yesterday"},
        {"page_size": "501"},
        {"page": "0"},
    ],
)
def test_a_report_that_paypal_would_refuse_is_refused(
    simulator: Simulator, asked: dict[str, str]
) -> None:
    assert report(simulator, **asked).status_code == 400


def test_a_dispute_goes_its_way_and_is_listed_in_short(simulator: Simulator, order: str) -> None:
    made = control(simulator, f"orders/{order}/dispute", inquiry=True).json()["dispute"]
    seen = []
    for change in ("escalate", "answer", "win"):
        control(simulator, f"disputes/{made['id']}/{change}")
        found = ask_api(simulator, "GET", f"{DISPUTES}/{made['id']}").json()
        seen.append((found["dispute_life_cycle_stage"], found["status"]))
    [listed] = ask_api(simulator, "GET", f"{DISPUTES}?page_size=1").json()["items"]

    assert seen == [
        ("CHARGEBACK", "WAITING_FOR_SELLER_RESPONSE"),
        ("CHARGEBACK", "UNDER_REVIEW"),
        ("CHARGEBACK", "RESOLVED"),
    ]
    assert set(found) <= DISPUTE_MEMBERS
    assert found["dispute_outcome"] == {"outcome_code": "RESOLVED_SELLER_FAVOUR"}
    assert listed["dispute_id"] == made["id"]
    assert {"dispute_outcome", "disputed_transactions"}.isdisjoint(listed)
    assert control(simulator, f"disputes/{made['id']}/lose").status_code == 400


def test_disputes_are_found_by_their_payment_and_page_by_page(
    simulator: Simulator, order: str
) -> None:
    numbers = [simulator.open_paypal_dispute(order)["id"] for _time in range(2)]
    capture_id = entries(simulator)[0]["transaction_id"]

    first = ask_api(
        simulator, "GET", f"{DISPUTES}?page_size=1&disputed_transaction_id={capture_id}"
    ).json()
    following = next(link["href"] for link in first["links"] if link["rel"] == "next")
    second = ask_api(simulator, "GET", following.removeprefix(simulator.url)).json()

    assert [each["items"][0]["dispute_id"] for each in (first, second)] == numbers[::-1]
    assert [link["rel"] for link in second["links"]] == ["self"]
    none = ask_api(simulator, "GET", f"{DISPUTES}?disputed_transaction_id=0OTHER").json()
    assert "items" not in none
    assert issue_of(ask_api(simulator, "GET", f"{DISPUTES}/PP-R-NONE"))[0] == 404


def test_a_banks_chargeback_is_in_the_report_both_ways(simulator: Simulator, order: str) -> None:
    made = simulator.open_paypal_dispute(order, is_of_bank=True)
    simulator.decide_paypal_dispute(made["id"], is_won=True)

    codes = [each["transaction_event_code"] for each in entries(simulator)]

    assert codes == ["T0006", "T1201", "T1201", "T1202"]


@pytest.mark.parametrize("amount", ["0.00", "37.01", "1.001", "much"])
def test_what_cannot_be_disputed_or_refunded_is_refused(
    simulator: Simulator, order: str, amount: str
) -> None:
    assert 400 <= control(simulator, f"orders/{order}/dispute", amount=amount).status_code < 500
    assert 400 <= control(simulator, f"orders/{order}/refund", amount=amount).status_code < 500
    assert len(entries(simulator)) == 1


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("paypal.transactions.report", REPORT),
        ("paypal.disputes.list", DISPUTES),
        ("paypal.disputes.get", f"{DISPUTES}/PP-R-1"),
    ],
)
def test_the_books_fail_as_scripted(simulator: Simulator, operation: str, path: str) -> None:
    fault = {"operation": operation, "kind": "status_429"}
    assert httpx.post(f"{simulator.url}/_control/faults", json=fault).status_code == 200

    answers = [ask_api(simulator, "GET", path).status_code for _time in range(2)]

    assert answers[0] == 429
    assert answers[1] != 429
