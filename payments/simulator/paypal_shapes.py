"""Shapes of PayPal's objects, member by member as its API returns them.

Sources: PayPal's API reference: Orders v2, Payments v2, Webhooks.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Document = dict[str, Any]

ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
PAYER_ID = "SHQPPER234567"
PAYER = {
    "name": {"given_name": "Ada", "surname": "Shopper"},
    "email_address": "shopper@example.com",
    "payer_id": PAYER_ID,
}
WHOLE_ONLY = frozenset({"HUF", "JPY", "TWD"})


def new_id() -> str:
    """Return an id as PayPal's look: seventeen capitals and digits."""
    return "".join(secrets.choice(ALPHABET) for _place in range(17))


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise_moment(seconds: float) -> str:
    """Write a time as disputes do, to the millisecond."""
    return moment(seconds).replace("Z", ".000Z")


def money(amount: Decimal, currency: str) -> Document:
    places = 0 if currency in WHOLE_ONLY else 2
    return {"currency_code": currency, "value": f"{amount:.{places}f}"}


def link(href: str, rel: str, method: str = "GET") -> Document:
    return {"href": href, "rel": rel, "method": method}


def order(kept: Document, *, base: str, payments: Document) -> Document:
    """Write an order from what is kept of it and of its captures and refunds."""
    status = kept["status"]
    address = f"{base}/v2/checkout/orders/{kept['id']}"
    unit = dict(kept["unit"])
    if payments["captures"]:
        unit["payments"] = {name: made for name, made in payments.items() if made}
    links = [link(address, "self")]
    written = {
        "id": kept["id"],
        "intent": "CAPTURE",
        "status": status,
        "payment_source": {"paypal": {}},
        "purchase_units": [unit],
        "create_time": moment(kept["created"]),
        "update_time": moment(kept["updated"]),
    }
    if status in ("APPROVED", "COMPLETED"):
        written["payer"] = PAYER
        written["payment_source"] = {
            "paypal": {
                "email_address": PAYER["email_address"],
                "account_id": PAYER["payer_id"],
                "account_status": "VERIFIED",
                "name": PAYER["name"],
            }
        }
    if status == "APPROVED":
        links.append(link(f"{address}/capture", "capture", "POST"))
    if status == "PAYER_ACTION_REQUIRED":
        links.append(link(f"{base}/checkoutnow?token={kept['id']}", "payer-action"))
    return {**written, "links": links}


def capture(kept: Document, *, base: str) -> Document:
    address = f"{base}/v2/payments/captures/{kept['id']}"
    written = {
        "id": kept["id"],
        "status": kept["status"],
        "amount": kept["amount"],
        "final_capture": True,
        "invoice_id": kept["invoice_id"],
        "custom_id": kept["custom_id"],
        "seller_protection": {
            "status": "ELIGIBLE",
            "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
        },
        "supplementary_data": {"related_ids": {"order_id": kept["order_id"]}},
        "create_time": moment(kept["created"]),
        "update_time": moment(kept["updated"]),
        "links": [
            link(address, "self"),
            link(f"{address}/refund", "refund", "POST"),
            link(f"{base}/v2/checkout/orders/{kept['order_id']}", "up"),
        ],
    }
    if kept.get("reason"):
        written["status_details"] = {"reason": kept["reason"]}
    return {name: value for name, value in written.items() if value is not None}


def refund(kept: Document, *, base: str) -> Document:
    written = {
        "id": kept["id"],
        "status": kept["status"],
        "amount": kept["amount"],
        "invoice_id": kept["invoice_id"],
        "custom_id": kept["custom_id"],
        "note_to_payer": kept["note_to_payer"],
        "seller_payable_breakdown": {
            "gross_amount": kept["amount"],
            "total_refunded_amount": kept["refunded_so_far"],
        },
        "create_time": moment(kept["created"]),
        "update_time": moment(kept["updated"]),
        "links": [
            link(f"{base}/v2/payments/refunds/{kept['id']}", "self"),
            link(f"{base}/v2/payments/captures/{kept['capture_id']}", "up"),
        ],
    }
    if kept.get("reason"):
        written["status_details"] = {"reason": kept["reason"]}
    return {name: value for name, value in written.items() if value is not None}


def dispute(kept: Document, *, base: str) -> Document:
    """Write a dispute with everything that its summary in a list leaves out."""
    paid_at = {"create_time": precise_moment(kept["created"])}
    disputed = {
        "seller_transaction_id": kept["charge"],
        "gross_amount": kept["paid"],
        "custom": kept["custom_id"],
        "seller_protection_eligible": True,
        **paid_at,
    }
    written = {
        **dispute_summary(kept, base=base),
        "disputed_transactions": [
            {name: value for name, value in disputed.items() if value is not None}
        ],
    }
    if kept["outcome"]:
        written["dispute_outcome"] = {"outcome_code": kept["outcome"]}
    if kept["movements"]:
        written["money_movements"] = [
            {
                "affected_party": "SELLER",
                "type": each["type"],
                "reason": each["reason"],
                "amount": each["amount"],
                "initiated_time": precise_moment(each["at"]),
            }
            for each in kept["movements"]
        ]
    return written


def dispute_summary(kept: Document, *, base: str) -> Document:
    return {
        "dispute_id": kept["id"],
        "create_time": precise_moment(kept["created"]),
        "update_time": precise_moment(kept["updated"]),
        "reason": kept["reason"],
        "status": kept["status"],
        "dispute_amount": kept["amount"],
        "dispute_life_cycle_stage": kept["stage"],
        "dispute_channel": kept["channel"],
        "seller_response_due_date": precise_moment(kept["due_by"]),
        "links": [link(f"{base}/v1/customer/disputes/{kept['id']}", "self")],
    }


def event(
    event_type: str, kind: str, resource: Document, *, base: str, summary: str, now: int
) -> Document:
    event_id = f"WH-{new_id()}-{new_id()}"
    address = f"{base}/v1/notifications/webhooks-events/{event_id}"
    return {
        "id": event_id,
        "event_version": "1.0",
        "create_time": moment(now),
        "resource_type": kind,
        "resource_version": "2.0",
        "event_type": event_type,
        "summary": summary,
        "resource": resource,
        "links": [link(address, "self"), link(f"{address}/resend", "resend", "POST")],
    }
