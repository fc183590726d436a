"""The life of a Checkout Session: opened, tried, challenged, paid or expired.

Every change is one store transaction, made once: paying a paid session changes nothing.
"""

from __future__ import annotations

from payments.simulator import customers, objects
from payments.simulator.errors import InvalidRequest, NoSuchObject
from payments.simulator.events import AT_ONCE, BY_SHOPPER, Cause, WebhookPlan, publish
from payments.simulator.parameters import Parameters
from payments.simulator.provider import Provider
from payments.simulator.session_rules import subtotal_of
from payments.simulator.store import Document

SESSION = "checkout.session"
INTENT = "payment_intent"
CHARGE = "charge"
HOLD_SECONDS = 7 * 24 * 60 * 60
"""How long a card's bank keeps an amount aside: Stripe, "Place a hold on a payment method"."""
UNNAMED_SHOPPER = "shopper@example.com"

DECLINES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
}
FAILED_CHALLENGE = {
    "code": "payment_intent_authentication_failure",
    "message": "Your bank could not confirm that it is you.",
}


class SessionClosed(InvalidRequest):
    """The session is paid or expired, so the shopper cannot try to pay any more."""

    def __init__(self, session: Document) -> None:
        super().__init__(f"This Checkout Session has a status of `{session['status']}`.")
        self.session = session


def open_session(provider: Provider, parameters: Parameters) -> Document:
    """Make a session from checked parameters."""
    now = provider.now()
    lines = parameters["line_items"]
    session = objects.checkout_session(
        parameters,
        public_url=provider.public_url,
        now=now,
        currency=lines[0]["price_data"]["currency"],
        subtotal=subtotal_of(lines),
    )
    provider.store.insert(
        session,
        label="open",
        line_items=[objects.line_item(line, now=now) for line in lines],
        payment_intent_data=parameters.get("payment_intent_data", {}),
    )
    return session


def get_session(provider: Provider, session_id: str) -> Document:
    """Return a session, expired if its time is over."""
    session = provider.store.get(SESSION, session_id)
    if session is None:
        raise NoSuchObject(SESSION, session_id, param="session")
    if session["status"] == "open" and session["expires_at"] <= provider.now():
        return expire_overdue(provider, session_id)
    return session


def get_intent(provider: Provider, session: Document) -> Document | None:
    """Return the session's payment intent, which exists from the first attempt to pay on."""
    if session["payment_intent"] is None:
        return None
    return provider.store.get(INTENT, session["payment_intent"])


def approve(
    provider: Provider,
    session_id: str,
    *,
    plan: WebhookPlan = AT_ONCE,
    is_authenticated: bool = False,
    saves_card: bool = False,
) -> Document:
    """Take the payment, or only authorise it; a session that is complete is returned as it is.

    With `saves_card` the shopper agreed that the card is kept, if the shop lets them be asked.
    """
    with provider.store.transaction():
        session = get_session(provider, session_id)
        if session["status"] == "complete":
            return session
        intent = _intent_for_attempt(provider, session)
        is_held = intent["capture_method"] == "manual"
        charge = objects.charge(
            intent,
            email=session["customer_email"] or UNNAMED_SHOPPER,
            card=objects.CARD_ENDINGS["challenge" if is_authenticated else "approve"],
            failure=None,
            authenticated=is_authenticated,
            now=provider.now(),
            capture_before=provider.now() + HOLD_SECONDS if is_held else None,
        )
        provider.store.insert(charge, label="succeeded")
        if saves_card and may_save_card(session):
            customers.save_card(provider, session["customer"], charge)
        status = "requires_capture" if is_held else "succeeded"
        intent.update(
            status=status,
            amount_capturable=intent["amount"] if is_held else 0,
            amount_received=0 if is_held else intent["amount"],
            latest_charge=charge["id"],
            payment_method=charge["payment_method"],
            last_payment_error=None,
            next_action=None,
        )
        provider.store.update(intent, label=status)
        payment_status = "unpaid" if is_held else "paid"
        session.update(status="complete", payment_status=payment_status, url=None)
        session["customer_details"] = objects.customer_details(
            session["customer_email"] or UNNAMED_SHOPPER
        )
        provider.store.update(session, label="complete")
        publish(provider, "charge.succeeded", charge, plan=plan)
        event = "amount_capturable_updated" if is_held else "succeeded"
        publish(provider, f"payment_intent.{event}", intent, plan=plan)
        publish(provider, "checkout.session.completed", session, plan=plan)
        return session


def may_save_card(session: Document) -> bool:
    """Say whether the page asks the shopper to let the card be kept."""
    options = session["saved_payment_method_options"]
    return options is not None and options["payment_method_save"] == "enabled"


def decline(
    provider: Provider, session_id: str, *, decline_code: str = "generic_decline"
) -> Document:
    """Let the bank refuse the card; the session stays open for another try."""
    code, message = DECLINES[decline_code]
    failure = {"code": code, "decline_code": decline_code, "message": message}
    with provider.store.transaction():
        session = get_session(provider, session_id)
        intent = _intent_for_attempt(provider, session)
        charge = objects.charge(
            intent,
            email=session["customer_email"] or UNNAMED_SHOPPER,
            card=objects.CARD_ENDINGS["decline"],
            failure=failure,
            authenticated=False,
            now=provider.now(),
        )
        provider.store.insert(charge, label="failed")
        publish(provider, "charge.failed", charge)
        _fail_attempt(provider, intent, failure, charge=charge)
        return session


def challenge(provider: Provider, session_id: str) -> Document:
    """Let the bank ask the shopper to confirm the payment."""
    with provider.store.transaction():
        session = get_session(provider, session_id)
        intent = _intent_for_attempt(provider, session)
        intent.update(
            status="requires_action",
            last_payment_error=None,
            next_action={
                "type": "redirect_to_url",
                "redirect_to_url": {
                    "return_url": session["url"],
                    "url": f"{session['url']}/challenge",
                },
            },
        )
        provider.store.update(intent, label="requires_action")
        publish(provider, "payment_intent.requires_action", intent)
        return session


def fail_challenge(provider: Provider, session_id: str) -> Document:
    """Let the shopper fail to confirm; the session stays open for another try."""
    with provider.store.transaction():
        session = get_session(provider, session_id)
        intent = _intent_for_attempt(provider, session)
        _fail_attempt(provider, intent, FAILED_CHALLENGE, charge=None)
        return session


def expire(provider: Provider, session_id: str, *, cause: Cause = BY_SHOPPER) -> Document:
    """Close an open session, so that nobody can pay it any more."""
    with provider.store.transaction():
        session = get_session(provider, session_id)
        if session["status"] != "open":
            raise InvalidRequest(
                "Only Checkout Sessions with a status in ['open'] can be expired. This Checkout "
                f"Session has a status of `{session['status']}`.",
                param="session",
            )
        return _close(provider, session, cause)


def expire_overdue(provider: Provider, session_id: str) -> Document:
    """Close the session if it is open and its time is over."""
    with provider.store.transaction():
        session = provider.store.get(SESSION, session_id)
        if session is None:
            raise NoSuchObject(SESSION, session_id, param="session")
        if session["status"] == "open" and session["expires_at"] <= provider.now():
            return _close(provider, session, BY_SHOPPER)
        return session


def expire_all_overdue(provider: Provider) -> None:
    """Close every open session whose time is over."""
    for session_id in provider.store.list_overdue(provider.clock.now()):
        expire_overdue(provider, session_id)


def _close(provider: Provider, session: Document, cause: Cause) -> Document:
    intent = get_intent(provider, session)
    if intent is not None:
        intent.update(
            status="canceled",
            canceled_at=provider.now(),
            cancellation_reason="expired",
            next_action=None,
        )
        provider.store.update(intent, label="canceled")
        publish(provider, "payment_intent.canceled", intent, cause=cause)
    session.update(status="expired", url=None)
    provider.store.update(session, label="expired")
    publish(provider, "checkout.session.expired", session, cause=cause)
    return session


def _intent_for_attempt(provider: Provider, session: Document) -> Document:
    """Return the intent of an open session, made and noted on the session at the first attempt."""
    if session["status"] != "open":
        raise SessionClosed(session)
    intent = get_intent(provider, session)
    if intent is not None:
        return intent
    asked_for = provider.store.get_private(session["id"])["payment_intent_data"]
    intent = objects.payment_intent(session, asked_for, now=provider.now())
    provider.store.insert(intent, label=intent["status"])
    session["payment_intent"] = intent["id"]
    provider.store.update(session, label="open")
    publish(provider, "payment_intent.created", intent)
    return intent


def _fail_attempt(
    provider: Provider, intent: Document, failure: Document, *, charge: Document | None
) -> None:
    intent.update(
        status="requires_payment_method",
        last_payment_error=objects.payment_error(failure, charge),
        latest_charge=charge["id"] if charge else intent["latest_charge"],
        next_action=None,
    )
    provider.store.update(intent, label="requires_payment_method")
    publish(provider, "payment_intent.payment_failed", intent)
