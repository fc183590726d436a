"""The sweep's part of payments: ask the provider about everything whose end is not known.

Each question is put on record before it is asked, and what waits longest comes first: so a payment
whose answer always fails or is slow does not keep the others.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from functools import partial

from django.db.models import F, Q

from payments.methods import OFFLINE
from payments.models import Capture, PaymentAttempt, Refund
from payments.services import authorisations, refunds, settlement
from shop.clock import now
from shop.errors import ShopError
from shop.transactions import no_transaction, own_transaction

logger = logging.getLogger(__name__)

MOST_QUESTIONS = 500
WANTED_PAUSE = timedelta(minutes=5)
"""How long an attempt that may still be paid is left alone: its webhook and the shopper tell, too."""
REFUND_PAUSE = timedelta(minutes=15)


@no_transaction
def ask_about_everything_open(*, unwanted: Collection[int], seconds: float) -> None:
    """Settle open attempts and refunds for up to `seconds`, counted before each question.

    `unwanted` are the ids of open attempts that nobody is to pay any more: their pages are closed.
    So are the pages of attempts that were given up before they could be asked about.
    """
    ends_at = time.monotonic() + seconds
    for name, ask in _list_questions(set(unwanted)):
        if time.monotonic() >= ends_at:
            logger.warning("the sweep ran out of time; the next one goes on")
            return
        try:
            ask()
        except ShopError as error:
            logger.warning("%s waits: %s", name, error)
        except Exception:
            logger.exception("%s could not be settled", name)


def _list_questions(unwanted: set[int]) -> Iterator[tuple[str, Callable[[], object]]]:
    for attempt_id, reference, status in _list_due_attempts(unwanted):
        is_over = attempt_id in unwanted or status in PaymentAttempt.CLOSED_UNPAID
        yield reference, partial(settlement.ask, attempt_id, give_up=is_over)
    for refund_id, key in _list_due_refunds():
        yield f"refund {key}", partial(_check_refund, refund_id)
    for capture_id, key in _list_due_captures():
        yield f"capture {key}", partial(_take, capture_id)
    for attempt_id, reference in _list_due_authorisations():
        yield reference, partial(_ask_about_authorisation, attempt_id)


def _list_due_attempts(unwanted: set[int]) -> list[tuple[int, str, str]]:
    is_wanted_and_due = ~Q(provider_session_id="") & (
        Q(asked_at=None)
        | Q(asked_at__lt=now() - WANTED_PAUSE) & ~Q(provider=OFFLINE)  # That truth is our own row.
        | Q(checked_at=None)
        | Q(checked_at__lt=F("asked_at"))  # The last question was not answered.
    )
    is_open = Q(status__in=PaymentAttempt.OPEN)
    # Given up, and the provider's last word on the page is older than the page's own end.
    is_forgotten = (
        Q(status__in=PaymentAttempt.CLOSED_UNPAID)
        & ~Q(provider_session_id="")
        & (Q(checked_at=None) | Q(checked_at__lt=F("expires_at"), expires_at__lte=now()))
    )
    due = PaymentAttempt.objects.filter(
        is_open & (Q(pk__in=unwanted) | is_wanted_and_due) | is_forgotten
    )
    longest_first = due.order_by(F("asked_at").asc(nulls_first=True), "pk")
    return list(longest_first.values_list("pk", "reference", "status")[:MOST_QUESTIONS])


def _list_due_refunds() -> list[tuple[int, str]]:
    due = Refund.objects.filter(
        Q(asked_at=None, created_at__lt=now() - REFUND_PAUSE)
        | Q(asked_at__lt=now() - REFUND_PAUSE),
        status=Refund.Status.PENDING,
    )
    longest_first = due.order_by(F("asked_at").asc(nulls_first=True), "pk")
    return list(longest_first.values_list("pk", "key")[:MOST_QUESTIONS])


def _check_refund(refund_id: int) -> None:
    _note_refund_asked(refund_id)
    refunds.check(refund_id)


@own_transaction
def _note_refund_asked(refund_id: int) -> None:
    Refund.objects.filter(pk=refund_id).update(asked_at=now())


def _list_due_captures() -> list[tuple[int, str]]:
    due = Capture.objects.filter(
        Q(asked_at=None, created_at__lt=now() - WANTED_PAUSE)
        | Q(asked_at__lt=now() - WANTED_PAUSE),
        status=Capture.Status.PENDING,
    )
    longest_first = due.order_by(F("asked_at").asc(nulls_first=True), "pk")
    return list(longest_first.values_list("pk", "key")[:MOST_QUESTIONS])


@no_transaction
def _take(capture_id: int) -> None:
    _note_capture_asked(capture_id)
    authorisations.take(capture_id)


@own_transaction
def _note_capture_asked(capture_id: int) -> None:
    Capture.objects.filter(pk=capture_id).update(asked_at=now())


def _list_due_authorisations() -> list[tuple[int, str]]:
    """List what may have lapsed unheard, and what was to be released and is not."""
    due = PaymentAttempt.objects.filter(
        Q(asked_at=None) | Q(asked_at__lt=now() - WANTED_PAUSE),
        Q(authorised_until__lte=now()) | Q(release_asked_at__lt=now() - WANTED_PAUSE),
        status=PaymentAttempt.Status.AUTHORISED,
    )
    longest_first = due.order_by(F("asked_at").asc(nulls_first=True), "pk")
    return list(longest_first.values_list("pk", "reference")[:MOST_QUESTIONS])


@no_transaction
def _ask_about_authorisation(attempt_id: int) -> None:
    attempt = settlement.ask(attempt_id)
    if attempt.release_asked_at:
        authorisations.release(attempt_id)
