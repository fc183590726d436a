"""What `manage.py doctor` looks at on this floor: the payment providers."""

from __future__ import annotations

import re

import stripe
from django.conf import settings

from payments.errors import ProviderRefused, ProviderUnavailable
from payments.gateways.paypal import PayPalGateway
from payments.services import declines
from shop.checkups import Finding, checkup, fault, ok, warning

PATIENCE_SECONDS = 2
PAYPAL_BOOKS = {
    "Transaction Search": "https://uri.paypal.com/services/reporting/search/read",
    "Disputes": "https://uri.paypal.com/services/disputes/read-seller",
}
SECRET_KEY = re.compile(r"(sk|rk)_(test|live)_\w+")


@checkup("payments", cure="Look at status.stripe.com, and whether this machine may reach Stripe.")
def look_at_provider() -> Finding:
    """Ask the provider for our balance: the cheapest question that needs a working key."""
    if not settings.STRIPE_SECRET_KEY:
        return fault("No payment provider. Set STRIPE_SECRET_KEY, or PAYMENT_SIMULATOR=true.")
    if not SECRET_KEY.fullmatch(settings.STRIPE_SECRET_KEY):
        return fault("STRIPE_SECRET_KEY does not look like sk_live_… or sk_test_…; copy it again.")
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        if not secret.startswith("whsec_"):
            return fault("STRIPE_WEBHOOK_SECRET does not look like whsec_…; copy it again.")
    try:
        _ask_for_balance()
    except stripe.PermissionError:
        return _judge_mode("Stripe knows the key, which may not read the balance")
    except stripe.AuthenticationError:
        return fault("Stripe does not know STRIPE_SECRET_KEY. Copy it from the dashboard again.")
    except stripe.APIConnectionError as error:
        if not settings.SIMULATOR_IS_ON:
            raise
        reason = type(error.__cause__ or error).__name__
        return fault(
            f"The simulator at {settings.STRIPE_API_BASE} does not answer ({reason}). "
            "Start `manage.py simulator`, or use `make run`, which does."
        )
    return _judge_mode("Stripe knows the key")


def _ask_for_balance() -> None:
    stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE},
        http_client=stripe.RequestsClient(timeout=PATIENCE_SECONDS),
        max_network_retries=0,
    ).v1.balance.retrieve()


def _judge_mode(text: str) -> Finding:
    if settings.SIMULATOR_IS_ON:
        return ok(f"The simulator at {settings.STRIPE_API_BASE} answers; no money moves.")
    if settings.IS_PRODUCTION and "_test_" in settings.STRIPE_SECRET_KEY:
        return warning(f"{text}, but it is a test key: no money moves. Set the live key.")
    return ok(f"{text}.")


@checkup(
    "declines",
    cure="Look at the database, which has what the providers told.",
    needs_database=True,
)
def look_at_declines() -> Finding:
    """Compare how many payments were declined within the last hour with how many were made."""
    counted = declines.count()
    text = f"{counted.declined} declined and {counted.paid} made within the last hour."
    if counted.is_alarming:
        return warning(f"{text} Somebody may try stolen cards: look at the provider's dashboard.")
    return ok(text)


@checkup("paypal", cure="Look at www.paypal-status.com, and whether this machine may reach PayPal.")
def look_at_paypal() -> Finding:
    """Ask PayPal for a token, which needs a working id and secret and changes nothing."""
    if not settings.PAYPAL_IS_ON:
        return ok("Not offered: there is no PAYPAL_CLIENT_ID.")
    try:
        allowed = PayPalGateway().check_credentials()
    except ProviderRefused as error:
        return fault(
            f"PayPal does not know PAYPAL_CLIENT_ID with PAYPAL_CLIENT_SECRET ({error.reason}). "
            "Copy both again, and see that live and sandbox are not mixed up."
        )
    except ProviderUnavailable:
        if not settings.SIMULATOR_IS_ON:
            raise
        return fault(
            f"The simulator at {settings.PAYPAL_API_BASE} does not answer. "
            "Start `manage.py simulator`, or use `make run`, which does."
        )
    lacking = [name for name, scope in PAYPAL_BOOKS.items() if scope not in allowed]
    if lacking:
        return warning(
            f"PayPal knows us, but its books stay closed: switch on {' and '.join(lacking)} in the "
            "app's page at developer.paypal.com. It may take nine hours."
        )
    if settings.SIMULATOR_IS_ON:
        return ok(f"The simulator at {settings.PAYPAL_API_BASE} answers; no money moves.")
    if settings.IS_PRODUCTION and "sandbox" in settings.PAYPAL_API_BASE:
        return warning("PayPal knows us, but in its sandbox: no money moves. Set the live keys.")
    return ok("PayPal knows us.")
