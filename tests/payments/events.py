"""The provider's news by hand: take its events and post them when, as often and as signed as wanted."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
from django.test import Client

from payments.simulator.running import Simulator
from payments.simulator.webhooks import signature_header
from tests.payments.simulated import SECRET_KEY, WEBHOOK_SECRET

WEBHOOK = "/payments/webhooks/stripe/"
Event = dict[str, Any]


def list_events(simulator: Simulator, session_id: str) -> list[Event]:
    """Return what the provider has to tell about a session, its payment and charge, oldest first."""
    session = _read(simulator, f"/v1/checkout/sessions/{session_id}")
    about = {session_id, session["payment_intent"]}
    events = _read(simulator, "/v1/events?limit=100")["data"]
    return [event for event in reversed(events) if about & _ids_in(event["data"]["object"])]


def list_refund_events(simulator: Simulator, refund_id: str) -> list[Event]:
    """Return what the provider has to tell about a refund, oldest first."""
    events = _read(simulator, "/v1/events?limit=100")["data"]
    return [event for event in reversed(events) if event["data"]["object"]["id"] == refund_id]


def event_of(simulator: Simulator, session_id: str, kind: str) -> Event:
    return next(event for event in list_events(simulator, session_id) if event["type"] == kind)


def post_event(
    event: Event, *, secret: str = WEBHOOK_SECRET, age: float = 0, client: Client | None = None
) -> Any:
    """Call the shop's webhook as the provider does."""
    body = json.dumps(event)
    signature = signature_header(body, secret, at=int(time.time() - age))
    return (client or Client(enforce_csrf_checks=True)).post(
        WEBHOOK, body, content_type="application/json", headers={"Stripe-Signature": signature}
    )


def _ids_in(subject: Event) -> set[str]:
    return {subject["id"], str(subject.get("payment_intent"))}


def _read(simulator: Simulator, path: str) -> Any:
    answer = httpx.get(simulator.url + path, headers={"Authorization": f"Bearer {SECRET_KEY}"})
    answer.raise_for_status()
    return answer.json()
