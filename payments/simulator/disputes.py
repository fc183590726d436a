"""A shopper's bank takes the money back: disputes opened, answered, won, lost.

Source: https://docs.stripe.com/disputes/how-disputes-work
"""

from __future__ import annotations

from payments.simulator import objects
from payments.simulator.errors import InvalidRequest, NoSuchObject
from payments.simulator.events import AT_ONCE, WebhookPlan, publish
from payments.simulator.provider import Provider
from payments.simulator.sessions import CHARGE, get_intent, get_session
from payments.simulator.store import Document

DISPUTE = "dispute"
TIME_TO_ANSWER = 9 * 24 * 60 * 60
FEE = 1500
REASONS = (
    *("credit_not_processed", "duplicate", "fraudulent", "general", "product_not_received"),
    *("product_unacceptable", "subscription_canceled", "unrecognized"),
)
OPEN = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")


def open_dispute(
    provider: Provider,
    session_id: str,
    *,
    amount: int | None = None,
    reason: str = "fraudulent",
    is_inquiry: bool = False,
    plan: WebhookPlan = AT_ONCE,
) -> Document:
    """Dispute the payment of a session; an inquiry asks first and leaves the money."""
    if reason not in REASONS:
        raise InvalidRequest(f"Known reasons: {', '.join(REASONS)}.", param="reason")
    with provider.store.transaction():
        intent = get_intent(provider, get_session(provider, session_id))
        charge = provider.store.get(CHARGE, (intent or {}).get("latest_charge") or "")
        if charge is None or charge["status"] != "succeeded":
            raise InvalidRequest("There is no successful charge to dispute.")
        if charge["disputed"]:
            raise InvalidRequest("This charge is disputed already.", code="charge_disputed")
        amount = charge["amount"] if amount is None else amount
        if not 1 <= amount <= charge["amount"]:
            raise InvalidRequest("A dispute is about a part of the charge.", param="amount")
        made = objects.dispute(
            charge,
            amount=amount,
            reason=reason,
            status="warning_needs_response" if is_inquiry else "needs_response",
            due_by=provider.now() + TIME_TO_ANSWER,
            now=provider.now(),
        )
        provider.store.insert(made, label=made["status"])
        charge["disputed"] = True
        provider.store.update(charge, label=charge["status"])
        publish(provider, "charge.dispute.created", made, plan=plan)
        if not is_inquiry:
            _withdraw(provider, made, plan)
        return made


def escalate(provider: Provider, dispute_id: str, *, plan: WebhookPlan = AT_ONCE) -> Document:
    """Turn an inquiry into a dispute: now the money goes."""
    with provider.store.transaction():
        dispute = _get_open(provider, dispute_id)
        if not dispute["status"].startswith("warning"):
            raise InvalidRequest("This dispute is no inquiry.")
        _change(provider, dispute, "needs_response", plan)
        _withdraw(provider, dispute, plan)
        return dispute


def answer(provider: Provider, dispute_id: str, *, plan: WebhookPlan = AT_ONCE) -> Document:
    """Let the shop's staff send their evidence from the dashboard."""
    with provider.store.transaction():
        dispute = _get_open(provider, dispute_id)
        dispute["evidence_details"].update(has_evidence=True, submission_count=1)
        is_inquiry = dispute["status"].startswith("warning")
        _change(provider, dispute, "warning_under_review" if is_inquiry else "under_review", plan)
        return dispute


def decide(
    provider: Provider, dispute_id: str, *, is_won: bool, plan: WebhookPlan = AT_ONCE
) -> Document:
    """Let the bank decide; an inquiry is closed, whoever was right."""
    with provider.store.transaction():
        dispute = _get_open(provider, dispute_id)
        previous = {"status": dispute["status"]}
        if dispute["status"].startswith("warning"):
            dispute["status"] = "warning_closed"
        else:
            dispute["status"] = "won" if is_won else "lost"
        dispute["is_charge_refundable"] = dispute["status"] != "lost"
        is_paid_back = dispute["status"] == "won"
        if is_paid_back:
            dispute["balance_transactions"].append(
                objects.dispute_movement(dispute, dispute["amount"], fee=0, now=provider.now())
            )
        provider.store.update(dispute, label=dispute["status"])
        publish(provider, "charge.dispute.closed", dispute, previous=previous, plan=plan)
        if is_paid_back:
            publish(provider, "charge.dispute.funds_reinstated", dispute, plan=plan)
        return dispute


def _withdraw(provider: Provider, dispute: Document, plan: WebhookPlan) -> None:
    dispute["is_charge_refundable"] = False
    dispute["balance_transactions"].append(
        objects.dispute_movement(dispute, -dispute["amount"], fee=FEE, now=provider.now())
    )
    provider.store.update(dispute, label=dispute["status"])
    publish(provider, "charge.dispute.funds_withdrawn", dispute, plan=plan)


def _change(provider: Provider, dispute: Document, status: str, plan: WebhookPlan) -> None:
    previous = {"status": dispute["status"]}
    dispute["status"] = status
    provider.store.update(dispute, label=status)
    publish(provider, "charge.dispute.updated", dispute, previous=previous, plan=plan)


def _get_open(provider: Provider, dispute_id: str) -> Document:
    dispute = provider.store.get(DISPUTE, dispute_id)
    if dispute is None:
        raise NoSuchObject(DISPUTE, dispute_id)
    if dispute["status"] not in OPEN:
        raise InvalidRequest(f"This dispute has a status of `{dispute['status']}`.")
    return dispute
