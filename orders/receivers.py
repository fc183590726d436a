"""News from payments, received inside the transaction that made it true."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from orders.services import settlement
from payments import signals
from payments.models import PaymentAttempt, Refund


@receiver(signals.attempt_captured)
def book_payment(sender: Any, attempt: PaymentAttempt, **kwargs: Any) -> None:
    settlement.apply_capture(attempt)


@receiver(signals.attempt_closed)
def note_unpaid_end(sender: Any, attempt: PaymentAttempt, **kwargs: Any) -> None:
    settlement.apply_close(attempt)


@receiver(signals.attempt_held)
def note_wrong_amount(sender: Any, attempt: PaymentAttempt, **kwargs: Any) -> None:
    settlement.apply_hold(attempt)


@receiver(signals.refund_settled)
def book_refund(sender: Any, attempt: PaymentAttempt, refund: Refund, **kwargs: Any) -> None:
    settlement.apply_refund(attempt, refund)


@receiver(signals.refund_failed)
def book_failed_refund(sender: Any, attempt: PaymentAttempt, refund: Refund, **kwargs: Any) -> None:
    settlement.apply_failed_refund(attempt, refund)
