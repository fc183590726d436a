"""Money going back: refunds of a charge, and refunds that the bank sends back."""

from __future__ import annotations

from payments.simulator import currencies, objects
from payments.simulator.errors import InvalidParameter, InvalidRequest, NoSuchObject
from payments.simulator.events import AT_ONCE, BY_SHOPPER, Cause, WebhookPlan, publish
from payments.simulator.parameters import Parameters, missing
from payments.simulator.provider import Provider
from payments.simulator.sessions import CHARGE, INTENT, get_session
from payments.simulator.store import Condition, Document

REFUND = "refund"
PLAYED = frozenset({"amount", "charge", "expand", "metadata", "payment_intent", "reason"})


def check_refund(parameters: Parameters) -> None:
    """Refuse what no refund can be made of."""
    for name in parameters:
        if name not in PLAYED:
            raise InvalidParameter(
                f"The payment simulator does not play '{name}'; the real API knows it.", param=name
            )
    if "charge" not in parameters and "payment_intent" not in parameters:
        raise missing("payment_intent")
    if "charge" in parameters and "payment_intent" in parameters:
        raise InvalidParameter(
            "Give either 'charge' or 'payment_intent', not both.",
            code="parameters_exclusive",
            param="charge",
        )
    if "amount" in parameters and parameters["amount"] < 1:
        raise InvalidParameter(
            f"Invalid positive integer: {parameters['amount']}",
            code="parameter_invalid_integer",
            param="amount",
        )


def refund(
    provider: Provider,
    parameters: Parameters,
    *,
    cause: Cause = BY_SHOPPER,
    plan: WebhookPlan = AT_ONCE,
) -> Document:
    """Send money back, the whole rest unless an amount is given; never more than is left."""
    with provider.store.transaction():
        charge = _charge_to_refund(provider, parameters)
        left = charge["amount"] - charge["amount_refunded"]
        if left == 0:
            raise InvalidRequest(
                f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
            )
        if _is_taken_back(provider, charge):
            raise InvalidRequest(
                f"Charge {charge['id']} has been charged back; cannot issue a refund.",
                code="charge_disputed",
            )
        amount = parameters.get("amount", left)
        if amount > left:
            raise InvalidRequest(
                f"Refund amount ({_shown(amount, charge)}) is greater than unrefunded amount on "
                f"charge ({_shown(left, charge)})",
                param="amount",
            )
        made = objects.refund(charge, parameters, amount=amount, now=provider.now())
        provider.store.insert(made, label=made["status"])
        _change_refunded_amount(provider, charge, by=amount)
        publish(provider, "refund.created", made, cause=cause, plan=plan)
        publish(
            provider,
            "charge.refunded",
            charge,
            cause=cause,
            plan=plan,
            previous={"amount_refunded": charge["amount_refunded"] - amount},
        )
        return made


def begin_elsewhere(
    provider: Provider,
    session_id: str,
    *,
    amount: int | None = None,
    reason: str | None = None,
    plan: WebhookPlan = AT_ONCE,
) -> Document:
    """Refund the payment of a session as staff can from the provider's dashboard."""
    session = get_session(provider, session_id)
    wishes: Parameters = {"payment_intent": session["payment_intent"] or "", "amount": amount}
    wishes["reason"] = reason
    given = {name: value for name, value in wishes.items() if value is not None}
    return refund(provider, given, plan=plan)


def _is_taken_back(provider: Provider, charge: Document) -> bool:
    """Say whether a bank has the money already, or is about to."""
    disputes = provider.store.list_documents(
        "dispute", [Condition("charge", "=", charge["id"])], limit=1
    )
    return any(not dispute["is_charge_refundable"] for dispute in disputes)


def send_back(provider: Provider, refund_id: str) -> Document:
    """Let a refund fail after the fact: the bank could not pay it out."""
    with provider.store.transaction():
        failed = provider.store.get(REFUND, refund_id)
        if failed is None:
            raise NoSuchObject(REFUND, refund_id)
        if failed["status"] == "failed":
            return failed
        failed.update(
            status="failed",
            failure_reason="lost_or_stolen_card",
            failure_balance_transaction=objects.new_id("txn"),
        )
        provider.store.update(failed, label="failed")
        charge = provider.store.get(CHARGE, failed["charge"])
        assert charge is not None
        _change_refunded_amount(provider, charge, by=-failed["amount"])
        publish(provider, "refund.updated", failed, previous={"status": "succeeded"})
        publish(provider, "refund.failed", failed, previous={"status": "succeeded"})
        return failed


def refunds_of(provider: Provider, charge_id: str) -> list[Document]:
    return provider.store.list_documents(REFUND, [Condition("charge", "=", charge_id)], limit=100)


def _change_refunded_amount(provider: Provider, charge: Document, *, by: int) -> None:
    charge["amount_refunded"] += by
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    provider.store.update(charge, label=charge["status"])


def _charge_to_refund(provider: Provider, parameters: Parameters) -> Document:
    if "charge" in parameters:
        charge = provider.store.get(CHARGE, parameters["charge"])
        if charge is None:
            raise NoSuchObject(CHARGE, parameters["charge"], param="charge", status=400)
    else:
        intent_id = parameters["payment_intent"]
        intent = provider.store.get(INTENT, intent_id)
        if intent is None:
            raise NoSuchObject(INTENT, intent_id, param="payment_intent", status=400)
        charge = provider.store.get(CHARGE, intent["latest_charge"] or "")
    if charge is None or charge["status"] != "succeeded":
        raise InvalidRequest("There is no successful charge to refund.", param="payment_intent")
    if not charge["captured"]:
        raise InvalidRequest(
            f"Charge {charge['id']} was not captured; cancel its PaymentIntent instead.",
            param="payment_intent",
        )
    return charge


def _shown(units: int, charge: Document) -> str:
    currency = charge["currency"]
    return f"{currencies.amount_of(units, currency)} {currency}"
