"""Scripted faults, the control door and the command that runs the simulator."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import stripe
from django.core.management import CommandError, call_command

from payments.simulator.running import Simulator, running_simulator
from tests.payments.simulated import SECRET_KEY, client_of, session_parameters

OPTIONS = {"idempotency_key": "order-E-1001"}
CREATE = "checkout.sessions.create"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator) -> stripe.StripeClient:
    return client_of(simulator)


def script(simulator: Simulator, kind: str, **wishes: object) -> None:
    answer = httpx.post(
        f"{simulator.url}/_control/faults", json={"operation": CREATE, "kind": kind, **wishes}
    )
    assert answer.status_code == 200, answer.text


def place(client: stripe.StripeClient) -> stripe.checkout.Session:
    return client.v1.checkout.sessions.create(params=session_parameters(), options=OPTIONS)


@pytest.mark.parametrize(
    ("kind", "error", "sessions_made"),
    [
        ("timeout_before", stripe.APIConnectionError, 0),
        ("timeout_after", stripe.APIConnectionError, 1),
        ("error_500_before", stripe.APIError, 0),
        ("error_500_after", stripe.APIError, 1),
        ("cut_body", stripe.APIConnectionError, 1),
        ("bad_json", stripe.APIError, 1),
        ("status_429", stripe.RateLimitError, 0),
        ("status_409", stripe.APIError, 0),
    ],
)
def test_a_fault_strikes_once_and_the_same_key_then_makes_one_session(
    simulator: Simulator,
    client: stripe.StripeClient,
    kind: str,
    error: type[stripe.StripeError],
    sessions_made: int,
) -> None:
    script(simulator, kind, seconds=0.05)

    with pytest.raises(error):
        place(client)
    made_by_the_failed_call = len(client.v1.checkout.sessions.list().data)
    session = place(client)

    assert made_by_the_failed_call == sessions_made
    assert [each.id for each in client.v1.checkout.sessions.list().data] == [session.id]


def test_a_slow_answer_is_still_an_answer(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    script(simulator, "slow", seconds=0.3)
    started = time.monotonic()

    session = place(client)

    assert session.status == "open"
    assert time.monotonic() - started >= 0.3


def test_faults_strike_only_their_operation_and_as_often_as_asked(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    script(simulator, "status_429", times=2)

    client.v1.balance.retrieve()
    for _attempt in range(2):
        with pytest.raises(stripe.RateLimitError):
            place(client)

    assert place(client).status == "open"
    assert httpx.get(f"{simulator.url}/_control/faults").json() == {"faults": []}


def test_faults_that_wait_can_be_taken_back(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    script(simulator, "error_500_before")

    httpx.delete(f"{simulator.url}/_control/faults")

    assert place(client).status == "open"


def test_the_control_door_presses_the_shoppers_buttons(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    session = place(client)
    door = f"{simulator.url}/_control/sessions/{session.id}"

    declined = httpx.post(f"{door}/decline", json={"decline_code": "expired_card"}).json()
    cancelled = httpx.post(f"{door}/cancel", json={}).json()
    approved = httpx.post(f"{door}/approve", json={"webhook": "late", "delay": 5}).json()

    assert declined["session"]["status"] == "open"
    assert cancelled["redirect_to"] == "http://shop.example/checkout/"
    assert approved["session"]["payment_status"] == "paid"
    assert approved["redirect_to"].endswith(session.id)
    deliveries = httpx.get(f"{simulator.url}/_control/deliveries").json()["deliveries"]
    assert {each["type"] for each in deliveries if each["due_at"] > time.time() + 3} == {
        "charge.succeeded",
        "checkout.session.completed",
        "payment_intent.succeeded",
    }


@pytest.mark.parametrize(
    ("path", "wishes"),
    [
        ("faults", {"operation": "cats.pet", "kind": "slow"}),
        ("faults", {"operation": CREATE, "kind": "meteor"}),
        ("faults", {"operation": CREATE, "kind": "slow", "seconds": "long"}),
        ("clock", {"seconds": -1}),
    ],
)
def test_a_wish_the_control_door_does_not_know_is_refused(
    simulator: Simulator, path: str, wishes: dict[str, object]
) -> None:
    answer = httpx.post(f"{simulator.url}/_control/{path}", json=wishes)

    assert answer.status_code == 400
    assert httpx.get(f"{simulator.url}/_control/faults").json() == {"faults": []}


def test_a_form_of_a_foreign_page_cannot_use_the_control_door(simulator: Simulator) -> None:
    answer = httpx.post(f"{simulator.url}/_control/clock", data={"seconds": "9"})

    assert answer.status_code == 400


def test_the_simulator_refuses_to_run_in_production(settings, tmp_path: Path) -> None:
    settings.EMPORIUM_MODE = "production"
    books = tmp_path / "simulator.sqlite3"

    with pytest.raises(CommandError, match="EMPORIUM_MODE=production"):
        call_command("simulator", state=str(books), port=0)

    assert not books.exists()


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "manage.py", "simulator", "--port", str(port)]
    command += ["--state", str(tmp_path / "simulator.sqlite3")]
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(command, cwd=root, env=dict(os.environ), stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        balance = httpx.get(
            f"http://127.0.0.1:{port}/v1/balance",
            headers={"Authorization": f"Bearer {SECRET_KEY}"},
        )
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=10)
    finally:
        process.kill()
        process.wait()

    assert line.strip() == f"Payment simulator at http://127.0.0.1:{port}; no money moves."
    assert balance.status_code == 200
    assert code == 0
