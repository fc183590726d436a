"""What our gateway sends, and what the simulator answers, held against PayPal's own OpenAPI files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from django.db import transaction

from orders.services import payment
from payments.errors import UnknownAtProvider
from payments.gateways import get_gateway
from payments.gateways.base import PaymentItem, PaymentRequest
from payments.gateways.books import get_books
from payments.services import refunds
from payments.simulator import paypal_events
from payments.simulator.running import Simulator
from shop.clock import now
from shop.money import Money
from tests.journeys.shopper import attempt_of, session_of
from tests.payments.paypal import ask_api, list_kept, order_to_pay, started_order
from tests.shared import shared

jsonschema = pytest.importorskip("jsonschema")
pytestmark = pytest.mark.django_db
FILES = {
    "/v2/checkout/": "checkout_orders_v2",
    "/v2/payments/": "payments_payment_v2",
    "/v1/notifications/": "notifications_webhooks_v1",
}
Document = dict[str, Any]


@dataclass
class Exchange:
    method: str
    path: str
    sent: Document | None
    headers: dict[str, str]
    status: int
    answered: Document


@pytest.fixture
def heard(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exchange]]:
    """Write down every call of our gateway, and what came back."""
    exchanges: list[Exchange] = []
    request = requests.Session.request

    def listen(session: Any, method: str, url: str, **options: Any) -> Any:
        answer = request(session, method, url, **options)
        exchanges.append(
            Exchange(
                method.lower(),
                url.removeprefix(simulator.url),
                options.get("json"),
                options.get("headers") or {},
                answer.status_code,
                answer.json(),
            )
        )
        return answer

    monkeypatch.setattr(requests.Session, "request", listen)
    yield exchanges
    simulator.provider.faults.clear()


def specification_of(path: str) -> Document:
    name = next(name for start, name in FILES.items() if path.startswith(start))
    return dict(json.loads(shared(f"data/payments/paypal/{name}.json").read_text()))


def operation_of(specification: Document, method: str, path: str) -> Document:
    for template, operations in specification["paths"].items():
        pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path.partition("?")[0]) and method in operations:
            return dict(operations[method])
    raise AssertionError(f"PayPal has no {method} {path}")


def assert_fits(specification: Document, schema: Document, document: Any) -> None:
    whole = {**schema, "components": specification["components"]}
    jsonschema.Draft7Validator(whole).validate(document)


def schema_in(content: Document) -> Document:
    return dict(content["content"]["application/json"]["schema"])


def assert_as_specified(exchange: Exchange) -> None:
    specification = specification_of(exchange.path)
    operation = operation_of(specification, exchange.method, exchange.path)
    if exchange.sent is not None:
        assert_fits(specification, schema_in(operation["requestBody"]), exchange.sent)
        assert 1 <= len(exchange.headers["PayPal-Request-Id"]) <= 108
    response = operation["responses"][str(exchange.status)]
    assert_fits(specification, schema_in(response), exchange.answered)


def test_a_payment_and_its_refunds_speak_as_paypal_specifies(
    simulator: Simulator, heard: list[Exchange]
) -> None:
    order = started_order()
    payment.check(order)
    simulator.approve_order(session_of(order), webhook="never")
    payment.check(order)
    attempt = attempt_of(order)
    with transaction.atomic():
        refund = refunds.request(
            attempt,
            amount=Money(Decimal("7.00"), "EUR"),
            key=f"{attempt.reference}:return",
            reason="broken",
        )
    refunds.send(refund.pk)
    refunds.check(refund.pk)
    get_gateway("paypal").find_refund(payment_id=attempt.provider_payment_id, key=refund.key)

    spoken = [each for each in heard if not each.path.startswith("/v1/oauth2/")]
    for exchange in spoken:
        assert_as_specified(exchange)
    ways = {re.sub("/[A-Z0-9]{17}", "/*", f"{each.method} {each.path}") for each in spoken}
    assert ways == {
        "post /v2/checkout/orders",
        "get /v2/checkout/orders/*",
        "post /v2/checkout/orders/*/capture",
        "get /v2/payments/captures/*",
        "post /v2/payments/captures/*/refund",
        "get /v2/payments/refunds/*",
    }


def test_refusals_look_as_paypal_specifies(simulator: Simulator, heard: list[Exchange]) -> None:
    order = started_order()
    simulator.approve_order(session_of(order), outcome="declined", webhook="never")
    payment.check(order)

    [refused] = [each for each in heard if each.status == 422]
    assert (refused.status, refused.path.rpartition("/")[2]) == (422, "capture")
    assert_as_specified(refused)
    assert refused.answered["details"][0]["issue"] == "INSTRUMENT_DECLINED"


def test_a_discount_long_names_and_a_language_of_its_own_are_as_specified(
    simulator: Simulator, heard: list[Exchange]
) -> None:
    reference = attempt_of(order_to_pay()).reference
    get_gateway("paypal").start(
        PaymentRequest(
            reference=reference,
            amount=Money(Decimal("9.00"), "EUR"),
            items=(
                PaymentItem("Krug " * 60, Money(Decimal("10.00"), "EUR")),
                PaymentItem("Gutschein", Money(Decimal("-1.00"), "EUR")),
            ),
            email="ada@example.com",
            language="de",
            success_url="https://shop.example/orders/E-1/returned/?sign=ä",
            cancel_url="https://shop.example/orders/E-1/",
            expires_at=now(),
        )
    )

    assert_as_specified(heard[-1])
    assert heard[-1].sent is not None
    [unit] = heard[-1].sent["purchase_units"]
    assert unit["amount"]["breakdown"]["discount"]["value"] == "1.00"


def test_a_total_that_its_items_do_not_make_is_sent_without_them(
    simulator: Simulator, heard: list[Exchange]
) -> None:
    order = order_to_pay()
    request = payment._request(order, attempt_of(order))
    get_gateway("paypal").start(
        PaymentRequest(
            **{
                **{name: getattr(request, name) for name in request.__slots__},
                "amount": Money(Decimal("50.00"), "EUR"),
            }
        )
    )

    assert_as_specified(heard[-1])
    assert heard[-1].sent is not None
    assert "items" not in heard[-1].sent["purchase_units"][0]


def test_events_and_their_list_look_as_specified(simulator: Simulator) -> None:
    order = started_order()
    simulator.approve_order(session_of(order), webhook="never")
    payment.check(order)
    specification = specification_of("/v1/notifications/")

    kept = [each["wire"] for each in list_kept(simulator, paypal_events.EVENT)]
    for event in kept[-2:]:
        assert_fits(specification, {"$ref": "#/components/schemas/event"}, event)
    path = "/v1/notifications/webhooks-events"
    operation = operation_of(specification, "get", path)
    listed = ask_api(simulator, "GET", path).json()
    assert_fits(specification, schema_in(operation["responses"]["200"]), listed)


def test_what_the_books_ask_and_hear_is_as_specified(
    simulator: Simulator, heard: list[Exchange]
) -> None:
    order = started_order()
    simulator.approve_order(session_of(order), webhook="never")
    payment.check(order)
    dispute = simulator.open_paypal_dispute(session_of(order), amount="7.00", webhook="never")
    simulator.decide_paypal_dispute(dispute["id"], is_won=False, webhook="never")
    books = get_books("paypal")
    assert books is not None
    del heard[:]

    [reversal] = books.list_refunds_of(attempt_of(order).provider_payment_id)
    books.fetch_refund(reversal.refund_id)
    books.fetch_charge(reversal.charge_id)
    page = books.list_undelivered_events(now() - timedelta(minutes=5))

    assert {each.dispute_id for each in page.events} >= {dispute["id"]}
    specified = [each for each in heard if each.path.startswith(tuple(FILES))]
    for exchange in specified:
        assert_as_specified(exchange)
    assert {each.path.split("/")[3] for each in specified} == {
        "captures", "orders", "refunds", "webhooks-events",
    }  # fmt: skip


def test_what_is_unknown_looks_as_paypal_specifies(
    simulator: Simulator, heard: list[Exchange]
) -> None:
    gateway = get_gateway("paypal")
    for ask in (
        lambda: gateway.fetch(session_id="0UNKNOWNUNKNOWN01"),
        lambda: gateway.fetch_refund(refund_id="0UNKNOWNUNKNOWN01"),
    ):
        with pytest.raises(UnknownAtProvider):
            ask()

        assert heard[-1].status == 404
        assert_as_specified(heard[-1])
