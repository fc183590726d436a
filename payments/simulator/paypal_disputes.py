"""Disputes at PayPal: a shopper asks, claims, or has the bank claim; PayPal decides.

While a shopper asks or claims, the money stays with the shop, held; lost, it is reversed. A bank
takes it at once, and it comes back when the shop wins.

Sources: PayPal's API reference (Disputes v1), "Disputes lifecycle stages".
"""

from __future__ import annotations

import base64
from decimal import Decimal

from payments.simulator import paypal_orders, paypal_shapes
from payments.simulator.errors import InvalidRequest, NoSuchObject
from payments.simulator.events import AT_ONCE, WebhookPlan
from payments.simulator.paypal_errors import PayPalRefusal
from payments.simulator.paypal_events import publish
from payments.simulator.paypal_rules import check_money
from payments.simulator.paypal_shapes import Document
from payments.simulator.provider import Provider
from payments.simulator.store import Condition

DISPUTE = "paypal.dispute"
TIME_TO_ANSWER = 10 * 24 * 60 * 60
FEE = Decimal("16.00")
LARGEST_PAGE = 50
REASONS = (
    *("MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED"),
    *("UNAUTHORISED", "CREDIT_NOT_PROCESSED", "DUPLICATE_TRANSACTION", "INCORRECT_AMOUNT"),
    *("PAYMENT_BY_OTHER_MEANS", "CANCELED_RECURRING_BILLING", "PROBLEM_WITH_REMITTANCE", "OTHER"),
)
INQUIRY, CLAIM = "INQUIRY", "CHARGEBACK"


def open_dispute(
    provider: Provider,
    order_id: str,
    *,
    amount: str | None = None,
    reason: str = REASONS[0],
    is_inquiry: bool = False,
    is_of_bank: bool = False,
    plan: WebhookPlan = AT_ONCE,
) -> Document:
    """Dispute the payment of an order; an inquiry asks first, a bank takes the money at once."""
    if reason not in REASONS:
        raise InvalidRequest(f"Known reasons: {', '.join(REASONS)}.", param="reason")
    with provider.store.transaction():
        captured = paypal_orders.get_capture_of(provider, order_id)
        whole = captured["amount"]
        wanted = whole["value"] if amount is None else amount
        disputed = check_money({**whole, "value": wanted}, "/amount")
        if not 0 < disputed <= Decimal(whole["value"]):
            raise InvalidRequest("A dispute is about a part of the payment.", param="amount")
        made = {
            "id": f"PP-R-{paypal_shapes.new_id()[:3]}-{provider.now() % 10**8:08d}",
            "object": DISPUTE,
            "payment_intent": order_id,
            "charge": captured["id"],
            "created": provider.now(),
            "updated": provider.now(),
            "status": "OPEN" if is_inquiry else "WAITING_FOR_SELLER_RESPONSE",
            "stage": INQUIRY if is_inquiry else CLAIM,
            "channel": "EXTERNAL" if is_of_bank else "INTERNAL",
            "reason": reason,
            "amount": {"currency_code": whole["currency_code"], "value": wanted},
            "paid": whole,
            "custom_id": captured["custom_id"],
            "due_by": provider.now() + TIME_TO_ANSWER,
            "outcome": None,
            "movements": [],
        }
        if is_of_bank:
            _move(provider, made, "DEBIT")
        provider.store.insert(made, label=made["status"])
        _tell(provider, made, "CREATED", plan)
        return made


def escalate(provider: Provider, dispute_id: str, *, plan: WebhookPlan = AT_ONCE) -> Document:
    """Turn a question into a claim."""
    with provider.store.transaction():
        dispute = _get_open(provider, dispute_id)
        if dispute["stage"] != INQUIRY:
            raise InvalidRequest("This dispute is a claim already.")
        dispute.update(stage=CLAIM, status="WAITING_FOR_SELLER_RESPONSE")
        return _change(provider, dispute, plan)


def answer(provider: Provider, dispute_id: str, *, plan: WebhookPlan = AT_ONCE) -> Document:
    """Let the shop's staff answer in PayPal's resolution centre."""
    with provider.store.transaction():
        dispute = _get_open(provider, dispute_id)
        is_inquiry = dispute["stage"] == INQUIRY
        dispute["status"] = "WAITING_FOR_BUYER_RESPONSE" if is_inquiry else "UNDER_REVIEW"
        return _change(provider, dispute, plan)


def decide(
    provider: Provider, dispute_id: str, *, is_won: bool, plan: WebhookPlan = AT_ONCE
) -> Document:
    """Let PayPal decide; a mere question is dropped, whoever was right."""
    with provider.store.transaction():
        dispute = _get_open(provider, dispute_id)
        is_taken = bool(dispute["movements"])
        if dispute["stage"] == INQUIRY:
            dispute["outcome"] = "CANCELED_BY_BUYER"
        elif is_won:
            dispute["outcome"] = "RESOLVED_SELLER_FAVOUR"
            if is_taken:
                _move(provider, dispute, "CREDIT")
        else:
            dispute["outcome"] = "RESOLVED_BUYER_FAVOUR"
            if not is_taken:
                _move(provider, dispute, "DEBIT")
                paypal_orders.refund(
                    provider,
                    dispute["charge"],
                    {"amount": dispute["amount"]},
                    plan=plan,
                    is_reversal=True,
                )
        dispute["status"] = "RESOLVED"
        dispute["updated"] = provider.now()
        provider.store.update(dispute, label=dispute["status"])
        _tell(provider, dispute, "RESOLVED", plan)
        return dispute


def get_dispute(provider: Provider, dispute_id: str) -> Document:
    dispute = provider.store.get(DISPUTE, dispute_id)
    if dispute is None:
        raise PayPalRefusal(404, "INVALID_RESOURCE_ID")
    return dispute


def list_page(
    provider: Provider, conditions: list[Condition], *, page_size: int, token: str
) -> tuple[list[Document], str]:
    """Return disputes, the newest first, and the token of the next page, if there is one."""
    if token:
        last = base64.b64decode(token).decode()
        position = provider.store.position_of(DISPUTE, last) or 0
        conditions = [*conditions, Condition("seq", "<", position)]
    found = provider.store.list_documents(DISPUTE, conditions, limit=page_size + 1)
    page = found[:page_size]
    if len(found) <= page_size:
        return page, ""
    return page, base64.b64encode(page[-1]["id"].encode()).decode()


def _move(provider: Provider, dispute: Document, direction: str) -> None:
    """Take or give back the disputed amount; a fee is PayPal's, whoever is right."""
    moved_at = provider.now()
    currency = dispute["amount"]["currency_code"]
    dispute["movements"].append(
        {"type": direction, "reason": "DISPUTE_SETTLEMENT", "amount": dispute["amount"], "at": moved_at}
    )  # fmt: skip
    if direction == "DEBIT":
        fee = paypal_shapes.money(FEE, currency)
        dispute["movements"].append(
            {"type": "DEBIT", "reason": "DISPUTE_FEE", "amount": fee, "at": moved_at}
        )


def _change(provider: Provider, dispute: Document, plan: WebhookPlan) -> Document:
    dispute["updated"] = provider.now()
    provider.store.update(dispute, label=dispute["status"])
    _tell(provider, dispute, "UPDATED", plan)
    return dispute


def _tell(provider: Provider, dispute: Document, what: str, plan: WebhookPlan) -> None:
    resource = paypal_shapes.dispute(dispute, base=provider.public_url)
    publish(provider, f"CUSTOMER.DISPUTE.{what}", "dispute", resource, plan=plan)


def _get_open(provider: Provider, dispute_id: str) -> Document:
    dispute = provider.store.get(DISPUTE, dispute_id)
    if dispute is None:
        raise NoSuchObject(DISPUTE, dispute_id)
    if dispute["status"] == "RESOLVED":
        raise InvalidRequest("This dispute is resolved.")
    return dispute
