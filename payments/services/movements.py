"""Money that moved at a provider, written down once."""

from __future__ import annotations

from payments.models import PaymentAttempt, PaymentTransaction
from shop.money import Money
from shop.transactions import inside_transaction


@inside_transaction
def book(
    attempt: PaymentAttempt, kind: PaymentTransaction.Kind, *, provider_id: str, money: Money
) -> tuple[PaymentTransaction, bool]:
    """Write down a movement by the number it has at the provider; say whether it was new."""
    return PaymentTransaction.objects.get_or_create(
        provider=attempt.provider,
        kind=kind,
        provider_id=provider_id,
        defaults={"attempt": attempt, "amount": money.amount, "currency": money.currency},
    )
