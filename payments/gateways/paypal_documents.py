"""Reading what PayPal writes: members that may be missing, links, and where a document lives.

Source: PayPal's API reference, Orders v2 and Payments v2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from payments.errors import ProviderUnavailable
from payments.gateways.base import RefundResult
from payments.gateways.paypal_client import Document

NOT_FOR_CUSTOM_ID = re.compile(r"[^A-Za-z0-9_.,-]")
ORDER_OF_LINK = re.compile(r"/v2/checkout/orders/([A-Z0-9]+)")
CAPTURE_OF_LINK = re.compile(r"/v[12]/payments/captures?/([A-Z0-9]+)")


def result_of(refund: Document) -> RefundResult:
    status = str(refund.get("status", ""))
    has_failed = status in ("FAILED", "CANCELLED")
    details = refund.get("status_details") or {}
    return RefundResult(
        refund_id=id_of(refund),
        is_settled=status == "COMPLETED",
        failure=str(details.get("reason") or status) if has_failed else "",
    )


def payments_of(order: Document, kind: str) -> list[Document]:
    units = list_in(order, "purchase_units")
    return [each for unit in units for each in list_in(unit.get("payments") or {}, kind)]


def order_of(capture: Document) -> str:
    """Return the order that a capture belongs to, which PayPal says in one of two ways."""
    related = member(member(capture, "supplementary_data"), "related_ids")
    return word(related, "order_id") or id_in_link(capture, ORDER_OF_LINK)


def capture_of(refund: Document) -> str:
    return id_in_link(refund, CAPTURE_OF_LINK)


def id_in_link(document: Document, pattern: re.Pattern[str], *, rel: str = "") -> str:
    links = (each for each in list_in(document, "links") if rel in ("", each.get("rel")))
    addresses = (word(link, "href") for link in links)
    found = (pattern.search(address) for address in addresses)
    return next((each[1] for each in found if each), "")


def link_of(document: Document, *names: str) -> str:
    links = {word(link, "rel"): word(link, "href") for link in list_in(document, "links")}
    return next((links[name] for name in names if links.get(name)), "")


def list_in(document: Mapping[str, Any], name: str) -> list[Document]:
    found = document.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def member(document: Mapping[str, Any], name: str) -> Document:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def word(document: Mapping[str, Any], name: str) -> str:
    return str(document.get(name) or "")


def id_of(document: Document) -> str:
    found = word(document, "id")
    if not found:
        raise ProviderUnavailable("PayPal's answer names no id")
    return found


def custom_id_of(key: str) -> str:
    """Spell one of our keys as PayPal takes it for a custom id."""
    return NOT_FOR_CUSTOM_ID.sub(".", key)


def order_path(order_id: str) -> str:
    return f"/v2/checkout/orders/{quote(order_id, safe='')}"


def capture_path(capture_id: str) -> str:
    return f"/v2/payments/captures/{quote(capture_id, safe='')}"


def refund_path(refund_id: str) -> str:
    return f"/v2/payments/refunds/{quote(refund_id, safe='')}"
