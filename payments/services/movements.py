"""Money that moved at a provider, written down once."""

from __future__ import annotations

from django.db import connection

from payments.models import PaymentAttempt, PaymentTransaction
from shop.money import Money
from shop.prepared import Prepared
from shop.transactions import inside_transaction


@inside_transaction
def book(
    attempt: PaymentAttempt, kind: PaymentTransaction.Kind, *, provider_id: str, money: Money
) -> tuple[PaymentTransaction, bool]:
    """Write down a movement by the number it has at the provider; say whether it was new."""
    with connection.cursor() as cursor:
        cursor.execute(
            _BOOK,
            [attempt.pk, kind.value, money.amount, money.currency, attempt.provider, provider_id],
        )
        is_new = bool(cursor.rowcount)
    return _read.get(attempt.provider, kind.value, provider_id), is_new


_BOOK = """
INSERT INTO payments_paymenttransaction
    (attempt_id, kind, amount, currency, provider, provider_id)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (provider, kind, provider_id) DO NOTHING
"""
_read = Prepared(
    lambda provider, kind, provider_id: PaymentTransaction.objects.filter(
        provider=provider, kind=kind, provider_id=provider_id
    )
)
