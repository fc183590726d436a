"""PayPal's endpoints, as far as a shop with its hosted approval needs them.

Every endpoint is one row of `OPERATIONS`; `answer` is the one way through: authorise, find the
operation, perform it once per `PayPal-Request-Id`, and let scripted faults strike on the way.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import parse_qs, urlencode

from payments.simulator import (
    faults,
    paypal_disputes,
    paypal_orders,
    paypal_reports,
    paypal_shapes,
)
from payments.simulator.errors import ProviderFailure, Refusal
from payments.simulator.messages import JSON, Answer, HangUp, Request
from payments.simulator.paypal_errors import PayPalRefusal, envelope
from payments.simulator.paypal_events import CERTIFICATES, EVENT, redeliver
from payments.simulator.paypal_rules import check_order, check_refund
from payments.simulator.paypal_shapes import Document
from payments.simulator.provider import Provider
from payments.simulator.store import Condition, StoredAnswer, to_json

logger = logging.getLogger(__name__)

PREFIXES = (
    *("/v1/oauth2/", "/v1/notifications/", "/v1/customer/disputes", "/v1/reporting/transactions"),
    "/v2/",
)
TOKEN_LIFE = 9 * 60 * 60
LONGEST_REQUEST_ID = 108
LARGEST_PAGE = 300
USUAL_PAGE = 10
SCOPES = (
    "https://uri.paypal.com/services/payments/payment",
    "https://uri.paypal.com/services/reporting/search/read",
    "https://uri.paypal.com/services/disputes/read-seller",
)
"""What an app may do that has Transaction Search and Disputes switched on."""


@dataclass(frozen=True)
class Call:
    request: Request
    object_id: str
    body: Document


Perform = Callable[[Provider, Call], Document]


@dataclass(frozen=True)
class Operation:
    """One endpoint. `show` writes the object that `perform` made or found as it is now."""

    name: str
    method: str
    path: re.Pattern[str]
    perform: Perform
    show: Callable[[Provider, Document], Document] = lambda _provider, document: document
    status: int = 200
    is_open: bool = False
    """Needs no token."""


def create_order(provider: Provider, call: Call) -> Document:
    check_order(call.body)
    return paypal_orders.open_order(provider, call.body)


def get_order(provider: Provider, call: Call) -> Document:
    return paypal_orders.get_order(provider, call.object_id)


def capture_order(provider: Provider, call: Call) -> Document:
    return paypal_orders.capture(provider, call.object_id)


def get_capture(provider: Provider, call: Call) -> Document:
    return paypal_orders.get_capture(provider, call.object_id)


def refund_capture(provider: Provider, call: Call) -> Document:
    check_refund(call.body)
    return paypal_orders.refund(provider, call.object_id, call.body)


def get_refund(provider: Provider, call: Call) -> Document:
    return paypal_orders.get_refund(provider, call.object_id)


def list_disputes(provider: Provider, call: Call) -> Document:
    """List disputes, newest first, in short."""
    asked = _query_of(call)
    page_size = _number_in(asked, "page_size", USUAL_PAGE, most=paypal_disputes.LARGEST_PAGE)
    conditions = []
    for name, operator in (("create_time_after", ">="), ("create_time_before", "<=")):
        if name in asked:
            conditions.append(Condition("created", operator, _seconds(asked[name], name)))
    if "disputed_transaction_id" in asked:
        conditions.append(Condition("charge", "=", asked["disputed_transaction_id"]))
    page, token = paypal_disputes.list_page(
        provider, conditions, page_size=page_size, token=asked.get("next_page_token", "")
    )
    base = provider.public_url
    address = f"{base}/v1/customer/disputes"
    links = [paypal_shapes.link(f"{address}?{urlencode(asked)}", "self")]
    if token:
        following = urlencode(asked | {"next_page_token": token})
        links.append(paypal_shapes.link(f"{address}?{following}", "next"))
    items = [paypal_shapes.dispute_summary(each, base=base) for each in page]
    return {"items": items, "links": links} if items else {"links": links}


def get_dispute(provider: Provider, call: Call) -> Document:
    kept = paypal_disputes.get_dispute(provider, call.object_id)
    return paypal_shapes.dispute(kept, base=provider.public_url)


def report_transactions(provider: Provider, call: Call) -> Document:
    """Report what moved the balance between two moments."""
    asked = _query_of(call)
    for name in ("start_date", "end_date"):
        if name not in asked:
            raise PayPalRefusal(400, "MISSING_REQUIRED_PARAMETER", field=name)
    most = paypal_reports.LARGEST_PAGE
    return paypal_reports.report(
        provider,
        since=_seconds(asked["start_date"], "start_date"),
        until=_seconds(asked["end_date"], "end_date"),
        page=_number_in(asked, "page", 1, most=2**31 - 1),
        page_size=_number_in(asked, "page_size", paypal_reports.USUAL_PAGE, most=most),
    )


def list_events(provider: Provider, call: Call) -> Document:
    """List events, newest first, a page at a time; the link to the next names where it begins."""
    asked = _query_of(call)
    page_size = _number_in(asked, "page_size", USUAL_PAGE, most=LARGEST_PAGE)
    conditions = []
    for name, operator in (("start_time", ">="), ("end_time", "<=")):
        if name in asked:
            conditions.append(Condition("created", operator, _seconds(asked[name], name)))
    if "event_type" in asked:
        conditions.append(Condition("label", "=", asked["event_type"]))
    if "before" in asked:
        conditions.append(
            Condition("seq", "<", provider.store.position_of(EVENT, asked["before"]) or 0)
        )
    found = provider.store.list_documents(EVENT, conditions, limit=page_size + 1)
    events = [each["wire"] for each in found[:page_size]]
    if "transaction_id" in asked:
        events = [each for each in events if each["resource"].get("id") == asked["transaction_id"]]
    address = f"{provider.public_url}/v1/notifications/webhooks-events"
    links = [paypal_shapes.link(f"{address}?{urlencode(asked)}", "self")]
    if len(found) > page_size:
        last = found[page_size - 1]["id"]
        following = urlencode(asked | {"before": last})
        links.append(paypal_shapes.link(f"{address}?{following}", "next"))
    return {"events": events, "count": len(events), "links": links}


def get_event(provider: Provider, call: Call) -> Document:
    return _find_event(provider, call.object_id)["wire"]


def resend_event(provider: Provider, call: Call) -> Document:
    kept = _find_event(provider, call.object_id)
    redeliver(provider, kept)
    return kept["wire"]


def give_token(provider: Provider, call: Call) -> Document:
    scheme, _space, credentials = call.request.headers.get("Authorization", "").partition(" ")
    try:
        given = base64.b64decode(credentials, validate=True) if scheme == "Basic" else b""
    except binascii.Error:
        given = b""
    expected = f"{provider.paypal_client_id}:{provider.paypal_client_secret}".encode()
    if not hmac.compare_digest(given, expected):
        raise WrongClient
    if call.request.form_field("grant_type") != "client_credentials":
        raise PayPalRefusal(400, "unsupported_grant_type", "Unsupported grant_type")
    token = f"A21AA{secrets.token_urlsafe(48)}"
    provider.paypal_tokens[token] = provider.now() + TOKEN_LIFE
    return {
        "scope": " ".join(SCOPES),
        "access_token": token,
        "token_type": "Bearer",
        "app_id": "APP-80W284485P519543T",
        "expires_in": TOKEN_LIFE,
        "nonce": f"{paypal_shapes.moment(provider.now())}{secrets.token_hex(8)}",
    }


class WrongClient(Exception):
    """The client id or secret is not the simulator's; OAuth has an answer of its own for that."""


def _show_order(provider: Provider, kept: Document) -> Document:
    return paypal_orders.written_order(provider, kept)


def _show_capture(provider: Provider, kept: Document) -> Document:
    return paypal_shapes.capture(kept, base=provider.public_url)


def _show_refund(provider: Provider, kept: Document) -> Document:
    return paypal_shapes.refund(kept, base=provider.public_url)


def _operation(name: str, method: str, path: str, perform: Perform, **how: object) -> Operation:
    pattern = re.compile(re.escape(path).replace(r"\{id\}", r"(?P<id>[\w-]{1,80})"))
    return Operation(f"paypal.{name}", method, pattern, perform, **how)  # type: ignore[arg-type]


ORDERS, CAPTURES = "/v2/checkout/orders", "/v2/payments/captures/{id}"
EVENTS = "/v1/notifications/webhooks-events"
DISPUTES, REPORT = "/v1/customer/disputes", "/v1/reporting/transactions"
OPERATIONS = [
    _operation("oauth2.token", "POST", "/v1/oauth2/token", give_token, is_open=True),
    _operation("orders.create", "POST", ORDERS, create_order, show=_show_order, status=201),
    _operation("orders.get", "GET", f"{ORDERS}/{{id}}", get_order, show=_show_order),
    _operation(
        "orders.capture",
        "POST",
        f"{ORDERS}/{{id}}/capture",
        capture_order,
        show=_show_order,
        status=201,
    ),
    _operation("captures.get", "GET", CAPTURES, get_capture, show=_show_capture),
    _operation(
        "captures.refund",
        "POST",
        f"{CAPTURES}/refund",
        refund_capture,
        show=_show_refund,
        status=201,
    ),
    _operation("refunds.get", "GET", "/v2/payments/refunds/{id}", get_refund, show=_show_refund),
    _operation("disputes.list", "GET", DISPUTES, list_disputes),
    _operation("disputes.get", "GET", f"{DISPUTES}/{{id}}", get_dispute),
    _operation("transactions.report", "GET", REPORT, report_transactions),
    _operation("events.list", "GET", EVENTS, list_events),
    _operation("events.get", "GET", f"{EVENTS}/{{id}}", get_event),
    _operation("events.resend", "POST", f"{EVENTS}/{{id}}/resend", resend_event, status=202),
]
CERTIFICATE = "paypal.certs.get"
OPERATION_NAMES = frozenset(each.name for each in OPERATIONS) | {CERTIFICATE}


def answer(provider: Provider, request: Request) -> Answer:
    """Answer any request under PayPal's addresses, success or refusal."""
    headers = {"Paypal-Debug-Id": paypal_shapes.new_id().lower()}
    try:
        if request.path.startswith(CERTIFICATES):
            return _give_certificate(provider, request)
        operation, object_id = _find(request)
        if not operation.is_open:
            _authorise(provider, request)
        return _carry_out(provider, request, operation, object_id, headers)
    except WrongClient:
        refused = {
            "error": "invalid_client",
            "error_description": "Client Authentication failed",
        }
        return Answer(401, to_json(refused).encode(), JSON, headers)
    except Refusal as refusal:
        return Answer(refusal.status, to_json(envelope(refusal)).encode(), JSON, headers)
    except HangUp:
        raise
    except Exception:
        logger.exception("The payment simulator failed at %s %s", request.method, request.path)
        failure = envelope(ProviderFailure("The payment simulator itself failed; see its log."))
        return Answer(500, to_json(failure).encode(), JSON, headers)


def _carry_out(
    provider: Provider,
    request: Request,
    operation: Operation,
    object_id: str,
    headers: dict[str, str],
) -> Answer:
    pause = provider.stopping.wait
    fault = provider.faults.take(operation.name)
    faults.strike_before(fault, pause)
    call = Call(request, object_id, {} if operation.is_open else _body_of(request))
    faults.linger(fault, pause)
    status, document = _perform_once(provider, operation, call)
    complete = Answer(status, to_json(document).encode(), JSON, headers)
    return faults.strike_after(fault, complete, pause)


def _perform_once(provider: Provider, operation: Operation, call: Call) -> tuple[int, Document]:
    """Perform, or show how that stands now which the first request with this id has made.

    Refusals are not kept: what was refused may be asked for again under the same id.
    """
    request_id = call.request.headers.get("PayPal-Request-Id", "")
    if len(request_id) > LONGEST_REQUEST_ID:
        raise PayPalRefusal(400, "INVALID_STRING_LENGTH", "PayPal-Request-Id is too long.")
    with provider.store.transaction():
        if not request_id or call.request.method != "POST":
            return operation.status, operation.show(provider, operation.perform(provider, call))
        key = f"{operation.name}:{request_id}"
        mark = sha256(f"{call.object_id}\n{to_json(call.body)}".encode()).hexdigest()
        kept = provider.store.get_answer(key)
        if kept is not None:
            if kept.fingerprint != mark:
                raise PayPalRefusal(
                    422,
                    "DUPLICATE_REQUEST_ID",
                    "The value of PayPal-Request-Id header has already been used.",
                )
            first = json.loads(kept.body)
            found = provider.store.get(first["object"], first["id"])
            assert found is not None
            return 200, operation.show(provider, found)
        made = operation.perform(provider, call)
        named = to_json({"object": made["object"], "id": made["id"]})
        provider.store.keep_answer(key, StoredAnswer(mark, 200, named, provider.now()))
        return operation.status, operation.show(provider, made)


def _give_certificate(provider: Provider, request: Request) -> Answer:
    pause = provider.stopping.wait
    fault = provider.faults.take(CERTIFICATE)
    faults.strike_before(fault, pause)
    faults.linger(fault, pause)
    key = provider.paypal_key
    if request.method != "GET" or request.path != f"{CERTIFICATES}{key.id}":
        raise PayPalRefusal(404, "INVALID_RESOURCE_ID", "There is no such certificate.")
    given = Answer(200, key.certificate, "application/x-x509-ca-cert")
    return faults.strike_after(fault, given, pause)


def _authorise(provider: Provider, request: Request) -> None:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    ends_at = provider.paypal_tokens.get(token.strip(), 0)
    if scheme != "Bearer" or ends_at <= provider.now():
        raise PayPalRefusal(401, "invalid_token", "Token signature verification failed")


def _find(request: Request) -> tuple[Operation, str]:
    for operation in OPERATIONS:
        if operation.method == request.method and (found := operation.path.fullmatch(request.path)):
            return operation, found.groupdict().get("id", "")
    raise PayPalRefusal(
        404,
        "INVALID_RESOURCE_ID",
        f"The payment simulator does not play {request.method} {request.path}.",
    )


def _body_of(request: Request) -> Document:
    if request.method != "POST" or not request.body:
        return {}
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != JSON:
        raise PayPalRefusal(415, "INVALID_CONTENT_TYPE", f"The API takes bodies of type {JSON}.")
    try:
        body = json.loads(request.body)
    except ValueError as fault:
        raise PayPalRefusal(400, "MALFORMED_REQUEST_JSON", "The body is not JSON.") from fault
    if not isinstance(body, dict):
        raise PayPalRefusal(400, "MALFORMED_REQUEST_JSON", "The body must be an object.")
    return body


def _find_event(provider: Provider, event_id: str) -> Document:
    kept = provider.store.get(EVENT, event_id)
    if kept is None:
        raise PayPalRefusal(404, "INVALID_RESOURCE_ID", "There is no such event.")
    return kept


def _query_of(call: Call) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(call.request.query).items()}


def _number_in(asked: dict[str, str], name: str, usual: int, *, most: int) -> int:
    written = asked.get(name, str(usual))
    if not written.isdecimal() or not 1 <= int(written) <= most:
        raise PayPalRefusal(400, "INVALID_PARAMETER_VALUE", f"From 1 to {most}.", field=name)
    return int(written)


def _seconds(written: str, name: str) -> float:
    try:
        return datetime.fromisoformat(written).timestamp()
    except ValueError as fault:
        raise PayPalRefusal(
            400, "INVALID_PARAMETER_SYNTAX", "Write it as 2026-11-22T10:00:00Z.", field=name
        ) from fault
