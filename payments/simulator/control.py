"""The door for tests and scripts under /_control/: press the shopper's buttons, script faults.

Bodies are JSON. A browser cannot be tricked into calling it from a foreign page, because a JSON
body needs that page's origin to be let in, and it never is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from payments.simulator import (
    disputes,
    holds,
    paypal_disputes,
    paypal_orders,
    paypal_page,
    refunds,
    sessions,
)
from payments.simulator.errors import InvalidRequest, NoSuchObject, Refusal, UnknownAddress
from payments.simulator.events import WebhookPlan, redeliver, webhook_plan
from payments.simulator.faults import ANY_OPERATION
from payments.simulator.hosted_page import success_address
from payments.simulator.messages import JSON, Answer, Request, json_answer
from payments.simulator.paypal_api import OPERATION_NAMES as PAYPAL_OPERATION_NAMES
from payments.simulator.paypal_events import EVENT as PAYPAL_EVENT
from payments.simulator.provider import PAYPAL_EVENTS, Provider
from payments.simulator.store import Document
from payments.simulator.stripe_api import OPERATION_NAMES

Wishes = dict[str, Any]


def answer(provider: Provider, request: Request) -> Answer:
    """Answer any request under /_control/."""
    try:
        for method, path, act in ROUTES:
            found = re.fullmatch(path, request.path)
            if found and method == request.method:
                return json_answer(act(provider, _wishes(request), *found.groups()))
        raise UnknownAddress(f"Nothing to control at {request.method} {request.path}.")
    except Refusal as refusal:
        return json_answer(refusal.envelope(), status=refusal.status)


def approve(provider: Provider, wishes: Wishes, session_id: str) -> Document:
    """Pay; `webhook` is now, late, twice or never, `delay` the seconds of late, `save_card` keeps
    the card for a customer."""
    plan = webhook_plan(wishes.get("webhook", "now"), delay=_number(wishes, "delay"))
    session = sessions.approve(
        provider,
        session_id,
        plan=plan,
        is_authenticated=bool(wishes.get("authenticated", False)),
        saves_card=bool(wishes.get("save_card", False)),
    )
    return {"session": session, "redirect_to": success_address(session)}


def decline(provider: Provider, wishes: Wishes, session_id: str) -> Document:
    """Refuse the card; `decline_code` says why."""
    decline_code = wishes.get("decline_code", "generic_decline")
    if decline_code not in sessions.DECLINES:
        raise InvalidRequest(
            f"Unknown decline code: {decline_code}. Known: {', '.join(sessions.DECLINES)}.",
            param="decline_code",
        )
    session = sessions.decline(provider, session_id, decline_code=decline_code)
    return {"session": session, "redirect_to": session["url"]}


def cancel(provider: Provider, _wishes: Wishes, session_id: str) -> Document:
    """Turn back; as at the real provider the session stays open."""
    session = sessions.get_session(provider, session_id)
    return {"session": session, "redirect_to": session["cancel_url"]}


def expire(provider: Provider, _wishes: Wishes, session_id: str) -> Document:
    session = sessions.expire(provider, session_id)
    return {"session": session, "redirect_to": session["cancel_url"]}


def lapse(provider: Provider, _wishes: Wishes, session_id: str) -> Document:
    """Let an authorisation run out before anybody captured it."""
    return {"payment_intent": holds.lapse(provider, session_id)}


def fail_refund(provider: Provider, _wishes: Wishes, refund_id: str) -> Document:
    return {"refund": refunds.send_back(provider, refund_id)}


def begin_refund(provider: Provider, wishes: Wishes, session_id: str) -> Document:
    """Refund from the provider's own pages; `amount` in the smallest unit, else all that is left."""
    made = refunds.begin_elsewhere(
        provider,
        session_id,
        amount=_units(wishes),
        reason=wishes.get("reason"),
        plan=_plan(wishes),
    )
    return {"refund": made}


def open_dispute(provider: Provider, wishes: Wishes, session_id: str) -> Document:
    """Dispute a payment; `amount`, `reason`, and `inquiry` for a mere question of the bank."""
    made = disputes.open_dispute(
        provider,
        session_id,
        amount=_units(wishes),
        reason=wishes.get("reason", "fraudulent"),
        is_inquiry=bool(wishes.get("inquiry", False)),
        plan=_plan(wishes),
    )
    return {"dispute": made}


def change_dispute(provider: Provider, wishes: Wishes, dispute_id: str, change: str) -> Document:
    """Let staff answer a dispute, let a question become one, or let the bank decide."""
    plan = _plan(wishes)
    if change == "answer":
        changed = disputes.answer(provider, dispute_id, plan=plan)
    elif change == "escalate":
        changed = disputes.escalate(provider, dispute_id, plan=plan)
    else:
        changed = disputes.decide(provider, dispute_id, is_won=change == "win", plan=plan)
    return {"dispute": changed}


def approve_order(provider: Provider, wishes: Wishes, order_id: str) -> Document:
    """Agree at PayPal; `outcome` is what becomes of the capture, the rest as for `approve`."""
    plan = webhook_plan(wishes.get("webhook", "now"), delay=_number(wishes, "delay"))
    outcome = wishes.get("outcome", "completed")
    if outcome not in paypal_orders.OUTCOMES:
        raise InvalidRequest(
            f"Unknown outcome: {outcome}. Known: {', '.join(paypal_orders.OUTCOMES)}.",
            param="outcome",
        )
    kept = paypal_orders.approve(provider, order_id, outcome=outcome, plan=plan)
    return {"order": kept, "redirect_to": paypal_page.return_address(kept)}


def cancel_order(provider: Provider, _wishes: Wishes, order_id: str) -> Document:
    """Turn back; as at the real PayPal the order stays."""
    kept = paypal_orders.get_order(provider, order_id)
    return {"order": kept, "redirect_to": paypal_page.cancel_address(kept)}


def expire_order(provider: Provider, _wishes: Wishes, order_id: str) -> Document:
    return {"order": paypal_orders.run_out(provider, order_id)}


def complete_capture(provider: Provider, _wishes: Wishes, capture_id: str) -> Document:
    return {"capture": paypal_orders.decide_capture(provider, capture_id, is_completed=True)}


def deny_capture(provider: Provider, _wishes: Wishes, capture_id: str) -> Document:
    return {"capture": paypal_orders.decide_capture(provider, capture_id, is_completed=False)}


def fail_paypal_refund(provider: Provider, _wishes: Wishes, refund_id: str) -> Document:
    return {"refund": paypal_orders.fail_refund(provider, refund_id)}


def begin_paypal_refund(provider: Provider, wishes: Wishes, order_id: str) -> Document:
    """Refund from PayPal's own pages; `amount` as PayPal writes it, else all that is left."""
    made = paypal_orders.begin_refund_elsewhere(
        provider,
        order_id,
        amount=_text(wishes, "amount"),
        note=_text(wishes, "note"),
        plan=_plan(wishes),
    )
    return {"refund": made}


def open_paypal_dispute(provider: Provider, wishes: Wishes, order_id: str) -> Document:
    """Dispute a payment; `inquiry` for a mere question, `bank` for one who takes it at once."""
    made = paypal_disputes.open_dispute(
        provider,
        order_id,
        amount=_text(wishes, "amount"),
        reason=_text(wishes, "reason") or paypal_disputes.REASONS[0],
        is_inquiry=bool(wishes.get("inquiry", False)),
        is_of_bank=bool(wishes.get("bank", False)),
        plan=_plan(wishes),
    )
    return {"dispute": made}


def change_paypal_dispute(
    provider: Provider, wishes: Wishes, dispute_id: str, change: str
) -> Document:
    """Let staff answer a dispute, let a question become a claim, or let PayPal decide."""
    plan = _plan(wishes)
    if change == "answer":
        changed = paypal_disputes.answer(provider, dispute_id, plan=plan)
    elif change == "escalate":
        changed = paypal_disputes.escalate(provider, dispute_id, plan=plan)
    else:
        changed = paypal_disputes.decide(provider, dispute_id, is_won=change == "win", plan=plan)
    return {"dispute": changed}


def delay_report(provider: Provider, wishes: Wishes) -> Document:
    """Let PayPal's report be `seconds` behind."""
    seconds = _number(wishes, "seconds")
    if seconds is None or seconds < 0:
        raise InvalidRequest("Give 'seconds', a number that is not negative.", param="seconds")
    provider.paypal_report_lag = seconds
    return {"seconds": seconds}


def list_deliveries(provider: Provider, _wishes: Wishes) -> Document:
    return {"deliveries": [asdict(each) for each in provider.store.list_deliveries()]}


def deliver_event(provider: Provider, _wishes: Wishes, event_id: str) -> Document:
    """Send an event once more, as an operator can from the provider's dashboard."""
    kind = PAYPAL_EVENT if event_id.startswith(PAYPAL_EVENTS) else "event"
    event = provider.store.get(kind, event_id)
    if event is None:
        raise NoSuchObject("event", event_id)
    redeliver(provider, event)
    return {"event": event_id}


def advance_clock(provider: Provider, wishes: Wishes) -> Document:
    """Push the provider's clock forward by `seconds`."""
    seconds = _number(wishes, "seconds")
    if seconds is None or seconds < 0:
        raise InvalidRequest("Give 'seconds', a number that is not negative.", param="seconds")
    provider.clock.advance(seconds)
    sessions.expire_all_overdue(provider)
    holds.lapse_all_overdue(provider)
    provider.wake_postman()
    return {"now": provider.now()}


def add_fault(provider: Provider, wishes: Wishes) -> Document:
    operation = wishes.get("operation", ANY_OPERATION)
    known = OPERATION_NAMES | PAYPAL_OPERATION_NAMES
    if operation != ANY_OPERATION and operation not in known:
        raise InvalidRequest(
            f"Unknown operation: {operation}. Known: {', '.join(sorted(known))}.",
            param="operation",
        )
    try:
        fault = provider.faults.add(
            operation,
            str(wishes.get("kind", "")),
            times=int(_number(wishes, "times") or 1),
            seconds=_number(wishes, "seconds"),
        )
    except ValueError as problem:
        raise InvalidRequest(str(problem), param="kind") from problem
    return {"fault": asdict(fault)}


def list_faults(provider: Provider, _wishes: Wishes) -> Document:
    return {"faults": [asdict(fault) for fault in provider.faults.list_waiting()]}


def clear_faults(provider: Provider, _wishes: Wishes) -> Document:
    provider.faults.clear()
    return {"faults": []}


ROUTES: list[tuple[str, str, Callable[..., Document]]] = [
    ("POST", r"/_control/sessions/(\w+)/approve", approve),
    ("POST", r"/_control/sessions/(\w+)/decline", decline),
    ("POST", r"/_control/sessions/(\w+)/cancel", cancel),
    ("POST", r"/_control/sessions/(\w+)/expire", expire),
    ("POST", r"/_control/sessions/(\w+)/lapse", lapse),
    ("POST", r"/_control/sessions/(\w+)/refund", begin_refund),
    ("POST", r"/_control/sessions/(\w+)/dispute", open_dispute),
    ("POST", r"/_control/disputes/(\w+)/(answer|escalate|win|lose)", change_dispute),
    ("POST", r"/_control/refunds/(\w+)/fail", fail_refund),
    ("POST", r"/_control/paypal/orders/(\w+)/approve", approve_order),
    ("POST", r"/_control/paypal/orders/(\w+)/cancel", cancel_order),
    ("POST", r"/_control/paypal/orders/(\w+)/expire", expire_order),
    ("POST", r"/_control/paypal/orders/(\w+)/refund", begin_paypal_refund),
    ("POST", r"/_control/paypal/orders/(\w+)/dispute", open_paypal_dispute),
    (
        "POST",
        r"/_control/paypal/disputes/([\w-]+)/(answer|escalate|win|lose)",
        change_paypal_dispute,
    ),
    ("POST", r"/_control/paypal/report", delay_report),
    ("POST", r"/_control/paypal/captures/(\w+)/complete", complete_capture),
    ("POST", r"/_control/paypal/captures/(\w+)/deny", deny_capture),
    ("POST", r"/_control/paypal/refunds/(\w+)/fail", fail_paypal_refund),
    ("POST", r"/_control/events/([\w-]+)/deliver", deliver_event),
    ("GET", r"/_control/deliveries", list_deliveries),
    ("POST", r"/_control/clock", advance_clock),
    ("POST", r"/_control/faults", add_fault),
    ("GET", r"/_control/faults", list_faults),
    ("DELETE", r"/_control/faults", clear_faults),
]


def _wishes(request: Request) -> Wishes:
    if request.method != "POST":
        return {}
    if request.headers.get("Content-Type", "").partition(";")[0].strip() != JSON:
        raise InvalidRequest(f"Send a body of type {JSON}.")
    try:
        wishes = json.loads(request.body or b"{}")
    except ValueError as fault:
        raise InvalidRequest(f"The body is not JSON: {fault}") from fault
    if not isinstance(wishes, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return wishes


def _plan(wishes: Wishes) -> WebhookPlan:
    return webhook_plan(wishes.get("webhook", "now"), delay=_number(wishes, "delay"))


def _text(wishes: Wishes, name: str) -> str | None:
    value = wishes.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(f"'{name}' must be a text.", param=name)
    return value


def _units(wishes: Wishes) -> int | None:
    amount = _number(wishes, "amount")
    return None if amount is None else int(amount)


def _number(wishes: Wishes, name: str) -> float | None:
    value = wishes.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRequest(f"'{name}' must be a number.", param=name)
    return value
