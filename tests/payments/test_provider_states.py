"""How Stripe's words about a page are read, for those that no simulator plays."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from payments.gateways.base import ProviderStatus
from payments.gateways.stripe import _state_of


def bank_debit(intent_status: str, **words: Any) -> stripe.checkout.Session:
    """Describe a page whose shopper is through, while the bank's answer takes days."""
    return stripe.checkout.Session.construct_from(
        {
            "id": "cs_test_1",
            "status": "complete",
            "payment_status": "unpaid",
            "currency": "eur",
            "payment_intent": {
                "id": "pi_1", "status": intent_status, "capture_method": "automatic", **words
            },
        },
        "sk_test_1",
    )  # fmt: skip


def test_while_the_bank_works_on_it_nothing_is_decided() -> None:
    assert _state_of(bank_debit("processing")).status is ProviderStatus.PROCESSING


@pytest.mark.parametrize(
    ("status", "words", "failure"),
    [
        ("requires_payment_method", {"last_payment_error": {"code": "debit_not_authorized"}},
         "debit_not_authorized"),
        ("canceled", {"last_payment_error": None}, "canceled"),
    ],
)  # fmt: skip
def test_a_bank_that_refuses_in_the_end_ends_the_payment(
    status: str, words: dict[str, Any], failure: str
) -> None:
    state = _state_of(bank_debit(status, **words))

    assert (state.status, state.payment_id, state.failure) == (
        ProviderStatus.FAILED,
        "pi_1",
        failure,
    )
