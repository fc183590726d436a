"""Money that is only authorised: captured, all or a part of it, cancelled, or lapsed.

Source: Stripe, "Place a hold on a payment method", and its API reference (capture and cancel a
PaymentIntent).
"""

from __future__ import annotations

from payments.simulator import objects
from payments.simulator.errors import InvalidParameter, InvalidRequest, NoSuchObject
from payments.simulator.events import BY_SHOPPER, Cause, publish
from payments.simulator.parameters import Parameters
from payments.simulator.provider import Provider
from payments.simulator.sessions import CHARGE, INTENT, get_session
from payments.simulator.store import Condition, Document

PLAYED = frozenset({"amount_to_capture", "cancellation_reason", "expand"})
CANCELLABLE = (
    *("requires_payment_method", "requires_capture", "requires_confirmation"),
    *("requires_action", "processing"),
)


def capture(
    provider: Provider, intent_id: str, parameters: Parameters, *, cause: Cause = BY_SHOPPER
) -> Document:
    """Take what was authorised, or less and let go of the rest."""
    _refuse_unplayed(parameters)
    with provider.store.transaction():
        intent = _get(provider, intent_id)
        if intent["status"] != "requires_capture":
            raise _unexpected(intent, "captured", ["requires_capture"])
        left: int = intent["amount_capturable"]
        amount: int = parameters.get("amount_to_capture", left)
        if not 1 <= amount <= left:
            raise InvalidParameter(
                f"The amount to capture must be from 1 to {left}.",
                code="amount_too_large" if amount > left else "parameter_invalid_integer",
                param="amount_to_capture",
            )
        charge = provider.store.get(CHARGE, intent["latest_charge"])
        assert charge is not None
        charge.update(
            amount_captured=amount,
            amount_refunded=charge["amount"] - amount,
            balance_transaction=objects.new_id("txn"),
            captured=True,
        )
        provider.store.update(charge, label=charge["status"])
        intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
        provider.store.update(intent, label="succeeded")
        for session in _sessions_of(provider, intent):
            session["payment_status"] = "paid"
            provider.store.update(session, label=session["status"])
        publish(provider, "charge.captured", charge, cause=cause)
        publish(provider, "payment_intent.succeeded", intent, cause=cause)
        return intent


def cancel(
    provider: Provider, intent_id: str, parameters: Parameters, *, cause: Cause = BY_SHOPPER
) -> Document:
    """Let go of what was authorised, as the shop asks."""
    _refuse_unplayed(parameters)
    with provider.store.transaction():
        intent = _get(provider, intent_id)
        if intent["status"] not in CANCELLABLE:
            raise _unexpected(intent, "canceled", list(CANCELLABLE))
        return _let_go(provider, intent, parameters.get("cancellation_reason"), cause)


def lapse(provider: Provider, session_id: str) -> Document:
    """Let the authorisation of a session run out, as after about seven days."""
    with provider.store.transaction():
        intent = _get(provider, get_session(provider, session_id)["payment_intent"] or "")
        if intent["status"] != "requires_capture":
            raise _unexpected(intent, "canceled", ["requires_capture"])
        return _lapse(provider, intent)


def lapse_all_overdue(provider: Provider) -> None:
    """End every authorisation whose time is over."""
    with provider.store.transaction():
        held = provider.store.list_documents(
            INTENT, [Condition("label", "=", "requires_capture")], limit=1000
        )
        for intent in held:
            charge = provider.store.get(CHARGE, intent["latest_charge"])
            assert charge is not None
            if charge["payment_method_details"]["card"]["capture_before"] <= provider.now():
                _lapse(provider, intent)


def _lapse(provider: Provider, intent: Document) -> Document:
    """Stripe writes a refund of what it lets go of by itself, though none of it was taken."""
    charge = provider.store.get(CHARGE, intent["latest_charge"])
    assert charge is not None
    made = objects.refund(
        charge, {"reason": "expired_uncaptured_charge"}, amount=charge["amount"], now=provider.now()
    )
    provider.store.insert(made, label=made["status"])
    publish(provider, "refund.created", made)
    return _let_go(provider, intent, "automatic", BY_SHOPPER)


def _let_go(provider: Provider, intent: Document, reason: str | None, cause: Cause) -> Document:
    charge = provider.store.get(CHARGE, intent["latest_charge"] or "")
    if charge is not None and charge["status"] == "succeeded":
        charge.update(amount_refunded=charge["amount"], refunded=True)
        provider.store.update(charge, label=charge["status"])
        publish(provider, "charge.refunded", charge, cause=cause)
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=provider.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    provider.store.update(intent, label="canceled")
    publish(provider, "payment_intent.canceled", intent, cause=cause)
    return intent


def _get(provider: Provider, intent_id: str) -> Document:
    intent = provider.store.get(INTENT, intent_id)
    if intent is None:
        raise NoSuchObject(INTENT, intent_id, param="intent")
    return intent


def _sessions_of(provider: Provider, intent: Document) -> list[Document]:
    return provider.store.list_documents(
        "checkout.session", [Condition("payment_intent", "=", intent["id"])], limit=1
    )


def _refuse_unplayed(parameters: Parameters) -> None:
    for name in parameters:
        if name not in PLAYED:
            raise InvalidParameter(
                f"The payment simulator does not play '{name}'; the real API knows it.", param=name
            )


def _unexpected(intent: Document, done: str, allowed: list[str]) -> InvalidRequest:
    return InvalidRequest(
        f"This PaymentIntent could not be {done} because it has a status of {intent['status']}. "
        f"Only a PaymentIntent with one of the following statuses may be {done}: "
        f"{', '.join(allowed)}.",
        code="payment_intent_unexpected_state",
    )
