"""News from payments, received inside the transaction that made it true."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from orders.services import provider_news, settlement
from payments import signals
from payments.models import Capture, Dispute, PaymentAttempt, PaymentTransaction, Refund


@receiver(signals.attempt_authorised)
def place_unpaid(sender: Any, attempt: PaymentAttempt, **kwargs: Any) -> None:
    settlement.apply_authorisation(attempt)


@receiver(signals.capture_failed)
def note_failed_capture(
    sender: Any, attempt: PaymentAttempt, capture: Capture, **kwargs: Any
) -> None:
    settlement.apply_failed_capture(attempt, capture)


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


@receiver(signals.refund_settled)
def note_where_it_began(
    sender: Any, attempt: PaymentAttempt, refund: Refund, **kwargs: Any
) -> None:
    provider_news.note_refund(attempt, refund)


@receiver(signals.dispute_opened)
def note_dispute(sender: Any, attempt: PaymentAttempt, dispute: Dispute, **kwargs: Any) -> None:
    provider_news.note_dispute(attempt, dispute)


@receiver(signals.dispute_moved)
def note_disputed_money(
    sender: Any, attempt: PaymentAttempt, transaction: PaymentTransaction, **kwargs: Any
) -> None:
    provider_news.note_movement(attempt, transaction)


@receiver(signals.dispute_closed)
def note_end_of_dispute(
    sender: Any, attempt: PaymentAttempt, dispute: Dispute, **kwargs: Any
) -> None:
    provider_news.apply_end_of_dispute(attempt, dispute)
