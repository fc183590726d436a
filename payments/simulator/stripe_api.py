"""The endpoints under /v1, as far as a shop with hosted checkout needs them.

Every endpoint is one row of `OPERATIONS`; `answer` is the one way through: authorise, find the
operation, check the parameters, perform it once per idempotency key, expand, and let scripted
faults strike on the way.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from stripe import params
from stripe.params import checkout as checkout_params

from payments.simulator import customers, disputes, faults, holds, objects, refunds, sessions
from payments.simulator.errors import (
    BodyRefused,
    InvalidRequest,
    NoSuchObject,
    ProviderFailure,
    Refusal,
    UnknownAddress,
    WrongKey,
)
from payments.simulator.events import Cause
from payments.simulator.expansion import expand, line_items_page
from payments.simulator.idempotency import Outcome, fingerprint, run_once
from payments.simulator.listing import list_page
from payments.simulator.messages import JSON, Answer, HangUp, Request
from payments.simulator.parameters import Parameters, check, decode, specification_of
from payments.simulator.provider import Provider
from payments.simulator.session_rules import check_session
from payments.simulator.store import Document, to_json

logger = logging.getLogger(__name__)

FORM = "application/x-www-form-urlencoded"
API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.\w+)?")
BALANCE_CURRENCY = "eur"


@dataclass(frozen=True)
class Call:
    """One authorised request with checked parameters."""

    path: str
    object_id: str
    parameters: Parameters
    cause: Cause


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: re.Pattern[str]
    parameters: type
    perform: Callable[[Provider, Call], Document]


def create_session(provider: Provider, call: Call) -> Document:
    check_session(call.parameters, now=provider.now())
    if "customer" in call.parameters:
        customers.get(provider, call.parameters["customer"])
    return sessions.open_session(provider, call.parameters)


def retrieve_session(provider: Provider, call: Call) -> Document:
    return sessions.get_session(provider, call.object_id)


def list_sessions(provider: Provider, call: Call) -> Document:
    return list_page(provider, sessions.SESSION, call.parameters, url=call.path)


def list_line_items(provider: Provider, call: Call) -> Document:
    return line_items_page(provider, sessions.get_session(provider, call.object_id))


def expire_session(provider: Provider, call: Call) -> Document:
    return sessions.expire(provider, call.object_id, cause=call.cause)


def capture_intent(provider: Provider, call: Call) -> Document:
    return holds.capture(provider, call.object_id, call.parameters, cause=call.cause)


def cancel_intent(provider: Provider, call: Call) -> Document:
    return holds.cancel(provider, call.object_id, call.parameters, cause=call.cause)


def create_customer(provider: Provider, call: Call) -> Document:
    return customers.create(provider, call.parameters, cause=call.cause)


def delete_customer(provider: Provider, call: Call) -> Document:
    return customers.remove(provider, call.object_id)


def list_cards(provider: Provider, call: Call) -> Document:
    return customers.list_page(provider, call.parameters, url=call.path)


def detach_card(provider: Provider, call: Call) -> Document:
    return customers.detach(provider, call.object_id, cause=call.cause)


def create_refund(provider: Provider, call: Call) -> Document:
    refunds.check_refund(call.parameters)
    return refunds.refund(provider, call.parameters, cause=call.cause)


def list_refunds(provider: Provider, call: Call) -> Document:
    return list_page(provider, refunds.REFUND, call.parameters, url=call.path)


def list_charges(provider: Provider, call: Call) -> Document:
    return list_page(provider, sessions.CHARGE, call.parameters, url=call.path)


def list_disputes(provider: Provider, call: Call) -> Document:
    return list_page(provider, disputes.DISPUTE, call.parameters, url=call.path)


def list_events(provider: Provider, call: Call) -> Document:
    page = list_page(provider, "event", call.parameters, url=call.path)
    for event in page["data"]:
        event["pending_webhooks"] = provider.store.count_pending(event["id"])
    return page


def retrieve_event(provider: Provider, call: Call) -> Document:
    event = _retrieve("event")(provider, call)
    event["pending_webhooks"] = provider.store.count_pending(event["id"])
    return event


def retrieve_balance(provider: Provider, call: Call) -> Document:
    return objects.balance(BALANCE_CURRENCY)


def _retrieve(kind: str) -> Callable[[Provider, Call], Document]:
    def retrieve(provider: Provider, call: Call) -> Document:
        document = provider.store.get(kind, call.object_id)
        if document is None:
            raise NoSuchObject(kind, call.object_id)
        return document

    return retrieve


def _operation(
    name: str,
    method: str,
    path: str,
    parameters: type,
    perform: Callable[[Provider, Call], Document],
) -> Operation:
    pattern = re.compile(re.escape(path).replace(r"\{id\}", r"(?P<id>\w{1,80})"))
    return Operation(name, method, pattern, parameters, perform)


OPERATIONS = [
    _operation(
        "checkout.sessions.create",
        "POST",
        "/v1/checkout/sessions",
        checkout_params.SessionCreateParams,
        create_session,
    ),
    _operation(
        "checkout.sessions.list",
        "GET",
        "/v1/checkout/sessions",
        checkout_params.SessionListParams,
        list_sessions,
    ),
    _operation(
        "checkout.sessions.retrieve",
        "GET",
        "/v1/checkout/sessions/{id}",
        checkout_params.SessionRetrieveParams,
        retrieve_session,
    ),
    _operation(
        "checkout.sessions.line_items.list",
        "GET",
        "/v1/checkout/sessions/{id}/line_items",
        checkout_params.SessionLineItemListParams,
        list_line_items,
    ),
    _operation(
        "checkout.sessions.expire",
        "POST",
        "/v1/checkout/sessions/{id}/expire",
        checkout_params.SessionExpireParams,
        expire_session,
    ),
    _operation(
        "payment_intents.retrieve",
        "GET",
        "/v1/payment_intents/{id}",
        params.PaymentIntentRetrieveParams,
        _retrieve(sessions.INTENT),
    ),
    _operation(
        "payment_intents.capture",
        "POST",
        "/v1/payment_intents/{id}/capture",
        params.PaymentIntentCaptureParams,
        capture_intent,
    ),
    _operation(
        "payment_intents.cancel",
        "POST",
        "/v1/payment_intents/{id}/cancel",
        params.PaymentIntentCancelParams,
        cancel_intent,
    ),
    _operation(
        "customers.create", "POST", "/v1/customers", params.CustomerCreateParams, create_customer
    ),
    _operation(
        "customers.delete",
        "DELETE",
        "/v1/customers/{id}",
        params.CustomerDeleteParams,
        delete_customer,
    ),
    _operation(
        "payment_methods.list",
        "GET",
        "/v1/payment_methods",
        params.PaymentMethodListParams,
        list_cards,
    ),
    _operation(
        "payment_methods.detach",
        "POST",
        "/v1/payment_methods/{id}/detach",
        params.PaymentMethodDetachParams,
        detach_card,
    ),
    _operation(
        "charges.retrieve",
        "GET",
        "/v1/charges/{id}",
        params.ChargeRetrieveParams,
        _retrieve(sessions.CHARGE),
    ),
    _operation("charges.list", "GET", "/v1/charges", params.ChargeListParams, list_charges),
    _operation("disputes.list", "GET", "/v1/disputes", params.DisputeListParams, list_disputes),
    _operation(
        "disputes.retrieve",
        "GET",
        "/v1/disputes/{id}",
        params.DisputeRetrieveParams,
        _retrieve(disputes.DISPUTE),
    ),
    _operation("refunds.create", "POST", "/v1/refunds", params.RefundCreateParams, create_refund),
    _operation("refunds.list", "GET", "/v1/refunds", params.RefundListParams, list_refunds),
    _operation(
        "refunds.retrieve",
        "GET",
        "/v1/refunds/{id}",
        params.RefundRetrieveParams,
        _retrieve(refunds.REFUND),
    ),
    _operation("events.list", "GET", "/v1/events", params.EventListParams, list_events),
    _operation(
        "events.retrieve",
        "GET",
        "/v1/events/{id}",
        params.EventRetrieveParams,
        retrieve_event,
    ),
    _operation(
        "balance.retrieve", "GET", "/v1/balance", params.BalanceRetrieveParams, retrieve_balance
    ),
]
OPERATION_NAMES = frozenset(operation.name for operation in OPERATIONS)


def answer(provider: Provider, request: Request) -> Answer:
    """Answer any request under /v1, success or refusal, with the headers Stripe sends."""
    request_id = objects.new_id("req", length=14)
    headers = {"Request-Id": request_id}
    try:
        _authorise(provider, request)
        headers["Stripe-Version"] = _api_version(request)
        operation, object_id = _find(request)
        return _carry_out(provider, request, operation, object_id, headers)
    except Refusal as refusal:
        return _refused(refusal, headers)
    except HangUp:
        raise
    except Exception:
        logger.exception("The payment simulator failed at %s %s", request.method, request.path)
        failure = ProviderFailure("The payment simulator itself failed; see its log.")
        return _refused(failure, headers)


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
    form = _form_of(request)
    key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
    call = Call(
        path=request.path,
        object_id=object_id,
        parameters=check(decode(form), specification_of(operation.parameters)),
        cause=Cause(headers["Request-Id"], key or None),
    )

    def perform() -> Document:
        document = operation.perform(provider, call)
        return expand(provider, document, call.parameters.get("expand", []))

    def before_work() -> None:
        faults.linger(fault, pause)

    if key:
        headers["Idempotency-Key"] = key
        mark = fingerprint(request.method, request.path, form)
        outcome = run_once(provider, key, mark, perform, before_work=before_work)
        if outcome.is_replayed:
            headers["Idempotent-Replayed"] = "true"
    else:
        before_work()
        with provider.store.transaction():
            outcome = Outcome(200, to_json(perform()))
    complete = Answer(outcome.status, outcome.body.encode(), JSON, headers)
    return faults.strike_after(fault, complete, pause)


def _refused(refusal: Refusal, headers: dict[str, str]) -> Answer:
    return Answer(refusal.status, to_json(refusal.envelope()).encode(), JSON, headers)


def _authorise(provider: Provider, request: Request) -> None:
    scheme, _space, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            credentials = base64.b64decode(credentials).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            credentials = ""
    if not credentials:
        raise WrongKey(
            "You did not provide an API key. Send it in the Authorization header, as in "
            "'Authorization: Bearer YOUR_SECRET_KEY'."
        )
    if not hmac.compare_digest(credentials.strip().encode(), provider.secret_key.encode()):
        raise WrongKey(f"Invalid API Key provided: {'*' * 8}{credentials[-4:]}")


def _api_version(request: Request) -> str:
    version = request.headers.get("Stripe-Version", "")
    if version and not API_VERSION.fullmatch(version):
        raise InvalidRequest(f"Invalid Stripe API version: {version[:40]}")
    return version or objects.API_VERSION


def _find(request: Request) -> tuple[Operation, str]:
    for operation in OPERATIONS:
        if operation.method == request.method and (found := operation.path.fullmatch(request.path)):
            return operation, found.groupdict().get("id", "")
    raise UnknownAddress(
        f"Unrecognized request URL ({request.method}: {request.path}). The payment simulator "
        "plays the endpoints of hosted checkout only."
    )


def _form_of(request: Request) -> str:
    if request.method != "POST":
        return request.query
    content_type = request.headers.get("Content-Type", FORM).partition(";")[0].strip().lower()
    if request.body and content_type != FORM:
        raise BodyRefused(f"The API takes bodies of type {FORM}.", status=400)
    try:
        return request.body.decode()
    except UnicodeDecodeError as fault:
        raise BodyRefused("The body is not UTF-8.", status=400) from fault
