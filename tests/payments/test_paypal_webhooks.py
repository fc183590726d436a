"""PayPal's door: what its certificate does not vouch for is refused, and nobody is asked for long."""

from __future__ import annotations

import base64
import json
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from payments.errors import ForgedEvent, ProviderUnavailable
from payments.gateways import get_gateway, paypal_signatures
from payments.models import ProviderEvent
from payments.simulator import paypal_events
from payments.simulator.paypal_key import SigningKey
from payments.simulator.running import Simulator, running_simulator
from shop.models import OutboxMessage
from tests.journeys.shopper import attempt_of, session_of
from tests.outbox import deliver_outbox
from tests.payments.paypal import WEBHOOK, events_of, post, post_event, started_order

pytestmark = pytest.mark.django_db

EVENT = {
    "id": "WH-1",
    "event_type": "PAYMENT.CAPTURE.COMPLETED",
    "resource_type": "capture",
    "resource": {"id": "1"},
}
BODY = json.dumps(EVENT).encode()


@pytest.fixture(autouse=True)
def _certificates_are_fetched_anew(simulator: Simulator) -> Iterator[None]:
    paypal_signatures.forget_certificates()
    yield
    simulator.provider.faults.clear()
    paypal_signatures.forget_certificates()


@pytest.fixture
def order(simulator: Simulator) -> Order:
    order = started_order()
    simulator.approve_order(session_of(order), webhook="never")
    return order


@pytest.fixture
def told(simulator: Simulator, order: Order) -> dict[str, Any]:
    [event] = events_of(simulator, "CHECKOUT.ORDER.APPROVED", session_of(order))
    return event


@contextmanager
def another_key(simulator: Simulator, key: SigningKey) -> Iterator[None]:
    """Let the simulator sign with a key of the test's."""
    own, simulator.provider.paypal_key = simulator.provider.paypal_key, key
    try:
        yield
    finally:
        simulator.provider.paypal_key = own


def signed(simulator: Simulator, **changes: str) -> dict[str, str]:
    return paypal_events.sign(simulator.provider, BODY) | changes


def assert_refused(answer: Any) -> None:
    assert answer.status_code == 400
    assert ProviderEvent.objects.count() == 0
    assert OutboxMessage.objects.filter(task="payments.apply_event").count() == 0


def verify(headers: dict[str, str]) -> None:
    paypal_signatures.verify(body=BODY, headers=headers, webhook_id="SIMULATOR")


def test_an_event_told_three_times_is_stored_and_worked_on_once(
    simulator: Simulator, order: Order, told: dict[str, Any]
) -> None:
    answers = [post_event(simulator, told) for _time in range(3)]
    deliver_outbox()

    stored = ProviderEvent.objects.get()
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert (stored.provider, stored.event_id, stored.type) == (
        "paypal",
        told["id"],
        "CHECKOUT.ORDER.APPROVED",
    )
    assert (stored.outcome, stored.attempt) == ("attempt is captured", attempt_of(order))


def test_a_body_that_was_changed_on_the_way_is_refused(
    simulator: Simulator, told: dict[str, Any]
) -> None:
    headers = paypal_events.sign(simulator.provider, json.dumps(told).encode())

    assert_refused(post(json.dumps(told | {"id": "WH-CHANGED"}).encode(), headers))


def test_a_message_for_another_webhook_is_refused(simulator: Simulator, settings: Any) -> None:
    settings.PAYPAL_WEBHOOK_ID = "ANOTHER"

    assert_refused(post(BODY, signed(simulator)))


def test_a_shop_without_a_webhook_id_believes_nobody(simulator: Simulator, settings: Any) -> None:
    settings.PAYPAL_WEBHOOK_ID = ""

    assert_refused(post(BODY, signed(simulator)))


def test_a_shop_without_paypal_believes_nobody(simulator: Simulator, settings: Any) -> None:
    settings.PAYPAL_IS_ON = False

    assert_refused(post(BODY, signed(simulator)))


def test_a_key_that_the_certificate_does_not_belong_to_is_refused(simulator: Simulator) -> None:
    own = f"{simulator.url}{paypal_events.CERTIFICATES}{simulator.provider.paypal_key.id}"
    with another_key(simulator, SigningKey()):
        headers = signed(simulator, **{"PAYPAL-CERT-URL": own})

    assert_refused(post(BODY, headers))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "https://[",
        "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://user@api.paypal.com/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "file:///v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../evil",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?next=evil",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.paypal.com/redirect/CERT-1",
        "https://API.paypal.com/v1/notifications/certs/CERT-1\r\n",
    ],
)
def test_a_certificate_from_elsewhere_is_not_even_fetched(
    simulator: Simulator, settings: Any, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(paypal_signatures, "_fetch", asked.append)
    settings.SIMULATOR_IS_ON, settings.PAYPAL_API_BASE = False, "https://api-m.paypal.com"

    with pytest.raises(ForgedEvent):
        verify(signed(simulator, **{"PAYPAL-CERT-URL": address}))

    assert asked == []


def test_the_simulators_certificate_is_worth_nothing_once_the_simulator_is_off(
    simulator: Simulator, settings: Any
) -> None:
    settings.SIMULATOR_IS_ON = False

    assert_refused(post(BODY, signed(simulator)))


def test_the_sandbox_does_not_speak_for_the_live_paypal(settings: Any) -> None:
    address = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1"
    settings.SIMULATOR_IS_ON, settings.PAYPAL_API_BASE = False, "https://api-m.paypal.com"
    with pytest.raises(ForgedEvent):
        paypal_signatures._check_address(address)

    settings.PAYPAL_API_BASE = "https://api-m.sandbox.paypal.com"
    assert paypal_signatures._check_address(address) is False


@pytest.mark.parametrize(
    "key",
    [
        SigningKey(starts_in=timedelta(days=-400), days=365),
        SigningKey(starts_in=timedelta(days=1), days=365),
    ],
    ids=["over", "not begun"],
)
def test_a_certificate_that_is_not_in_its_time_is_refused(
    simulator: Simulator, key: SigningKey
) -> None:
    with another_key(simulator, key):
        assert_refused(post_event(simulator, EVENT))


@pytest.mark.parametrize(
    ("name", "is_paypals"),
    [
        ("messageverificationcerts.paypal.com", True),
        ("messageverificationcerts.sandbox.paypal.com", True),
        ("paypal.com.evil.example", False),
        ("evilpaypal.com", False),
        (".paypal.com", False),
    ],
)
def test_a_real_certificate_must_name_a_host_of_paypals(name: str, is_paypals: bool) -> None:
    content = SigningKey(name=name).certificate
    if is_paypals:
        assert paypal_signatures._read(content, is_simulated=False)
        return

    with pytest.raises(ForgedEvent):
        paypal_signatures._read(content, is_simulated=False)


def test_a_chain_whose_links_do_not_hold_is_refused() -> None:
    chain = SigningKey().certificate + SigningKey().certificate

    with pytest.raises(ForgedEvent):
        paypal_signatures._read(chain, is_simulated=True)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAA\n"])
def test_what_is_no_certificate_is_refused(content: bytes) -> None:
    with pytest.raises(ForgedEvent):
        paypal_signatures._read(content, is_simulated=True)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("PAYPAL-AUTH-ALGO", "SHA1withRSA"),
        ("PAYPAL-AUTH-ALGO", ""),
        ("PAYPAL-TRANSMISSION-ID", ""),
        ("PAYPAL-TRANSMISSION-ID", "another"),
        ("PAYPAL-TRANSMISSION-ID", "ü"),
        ("PAYPAL-TRANSMISSION-TIME", ""),
        ("PAYPAL-TRANSMISSION-TIME", "yesterday"),
        ("PAYPAL-TRANSMISSION-TIME", "2026-13-45T99:00:00Z"),
        ("PAYPAL-TRANSMISSION-TIME", "2026-11-22T10:00:00"),
        ("PAYPAL-TRANSMISSION-SIG", ""),
        ("PAYPAL-TRANSMISSION-SIG", "%%%"),
        ("PAYPAL-TRANSMISSION-SIG", "AAAA"),
        ("PAYPAL-TRANSMISSION-SIG", "ÿ"),
    ],
)
def test_a_broken_header_is_refused(simulator: Simulator, header: str, value: str) -> None:
    assert_refused(post(BODY, signed(simulator, **{header: value})))


def test_a_message_that_paypal_repeats_for_three_days_is_taken_and_an_older_one_is_not(
    simulator: Simulator,
) -> None:
    three_days = 3 * 24 * 60 * 60

    assert_refused(post_event(simulator, EVENT, age=three_days + 3700))
    assert_refused(post_event(simulator, EVENT, age=-400))
    assert post_event(simulator, EVENT, age=three_days).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"[]", b"{}", b"null", b'{"resource": 1}', b'{"id": 1, "resource": {}}'],
)
def test_a_signed_body_that_is_no_event_is_refused(simulator: Simulator, body: bytes) -> None:
    assert_refused(post(body, paypal_events.sign(simulator.provider, body)))


def test_a_large_body_is_refused_before_it_is_read(client: Client) -> None:
    answer = client.post(WEBHOOK, b"x" * (512 * 1024 + 1), content_type="application/json")

    assert answer.status_code == 413


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_posts_are_taken(client: Client, method: str) -> None:
    assert getattr(client, method)(WEBHOOK).status_code == 405


@pytest.mark.parametrize("kind", ["error_500_before", "timeout_before", "status_429", "cut_body"])
def test_a_certificate_that_cannot_be_had_now_lets_paypal_call_again(
    simulator: Simulator, kind: str
) -> None:
    simulator.add_fault("paypal.certs.get", kind, seconds=0)

    first = post_event(simulator, EVENT)
    second = post_event(simulator, EVENT)
    paypal_signatures.forget_certificates()
    third = post_event(simulator, EVENT)

    assert [each.status_code for each in (first, second, third)] == [503, 503, 200]


def test_a_certificate_is_fetched_once(simulator: Simulator) -> None:
    post_event(simulator, EVENT)
    simulator.add_fault("paypal.certs.get", "error_500_before")

    assert post_event(simulator, EVENT | {"id": "WH-2"}).status_code == 200


def test_addresses_that_lead_nowhere_are_not_asked_for_without_end(simulator: Simulator) -> None:
    answers = []
    for number in range(12):
        address = f"{simulator.url}{paypal_events.CERTIFICATES}CERT-{number}"
        answers.append(post(BODY, signed(simulator, **{"PAYPAL-CERT-URL": address})).status_code)

    assert answers == [400] * 10 + [503] * 2


def test_a_redirect_is_not_followed_and_a_large_answer_is_not_read(
    simulator: Simulator, settings: Any
) -> None:
    seen: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            is_redirect = self.path.endswith("CERT-MOVED")
            self.send_response(302 if is_redirect else 200)
            self.send_header("Location", "/v1/notifications/certs/CERT-LARGE")
            self.end_headers()
            if not is_redirect:
                self.wfile.write(b"x" * 200_000)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    settings.PAYPAL_API_BASE = f"http://127.0.0.1:{server.server_address[1]}"
    address = f"{settings.PAYPAL_API_BASE}{paypal_events.CERTIFICATES}"
    try:
        with pytest.raises(ForgedEvent):
            verify(signed(simulator, **{"PAYPAL-CERT-URL": f"{address}CERT-MOVED"}))
        assert seen == ["/v1/notifications/certs/CERT-MOVED"]
        with pytest.raises(ProviderUnavailable):
            verify(signed(simulator, **{"PAYPAL-CERT-URL": f"{address}CERT-LARGE"}))
    finally:
        server.shutdown()
        server.server_close()


def test_what_is_signed_is_what_paypal_documents() -> None:
    crc = zlib.crc32(b"{}")

    assert paypal_signatures.message("id", "time", "hook", b"{}") == f"id|time|hook|{crc}".encode()


def test_an_event_about_something_unknown_is_stored_and_set_aside(simulator: Simulator) -> None:
    assert post_event(simulator, EVENT).status_code == 200
    deliver_outbox()

    assert ProviderEvent.objects.get().outcome == "ignored: about nothing of ours"


def test_the_simulator_tells_the_shop_by_itself_signed_and_as_often_as_asked(
    settings: Any,
) -> None:
    heard: list[tuple[bytes, dict[str, str]]] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((body, {name.upper(): value for name, value in self.headers.items()}))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/webhooks"
    try:
        with running_simulator(paypal_webhook_url=url) as simulator:
            settings.PAYPAL_API_BASE = simulator.url
            get_gateway.cache_clear()
            order = session_of(started_order())
            simulator.approve_order(order, webhook="twice")
            simulator.wait_for_deliveries()
            for body, headers in heard:
                paypal_signatures.verify(body=body, headers=headers, webhook_id="SIMULATOR")
            [event, copy] = [json.loads(body) for body, _headers in heard]
    finally:
        server.shutdown()
        server.server_close()

    assert event == copy
    assert (event["event_type"], event["resource"]["id"]) == ("CHECKOUT.ORDER.APPROVED", order)
    assert base64.b64decode(heard[0][1]["PAYPAL-TRANSMISSION-SIG"])
