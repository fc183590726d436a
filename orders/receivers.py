"""News from below, received inside the transaction that made it true: of payments, and of people."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.archive import Archive
from accounts.erasure import ErasureRun
from accounts.person import Person
from accounts.signals import person_erasing, person_exporting, person_leaving
from orders.services import people, provider_news, settlement
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


@receiver(person_exporting)
def tell_their_orders(sender: Any, person: Person, archive: Archive, **kwargs: Any) -> None:
    people.export(person, archive)


@receiver(person_leaving)
def name_what_is_not_over(sender: Any, erasure: ErasureRun, **kwargs: Any) -> None:
    people.find_obstacles(erasure)


@receiver(person_erasing)
def take_them_out_of_their_orders(sender: Any, erasure: ErasureRun, **kwargs: Any) -> None:
    people.erase(erasure)
