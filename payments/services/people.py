"""What payments hold of a person: their number at a provider, and what the provider told.

Attempts know no person: the floor above names those that paid for somebody's orders.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from accounts.archive import Archive, Row
from accounts.erasure import ErasureRun
from accounts.person import Person
from payments.errors import UnknownAtProvider
from payments.gateways import get_card_keeper
from payments.methods import get_provider_name
from payments.models import (
    Capture,
    Customer,
    Dispute,
    OfflineMovement,
    PaymentAttempt,
    PaymentTransaction,
    ProviderEvent,
    ReconciliationBreak,
    Refund,
)
from shop.clock import now
from shop.services import outbox
from shop.services.forgetting import update_in_batches
from shop.transactions import inside_transaction, no_transaction

FORGOTTEN = {"forgotten": True}
"""What stands for a provider's message that is not kept any more."""
UNSETTLED = (
    PaymentAttempt.Status.PROCESSING,
    PaymentAttempt.Status.AUTHORISED,
    PaymentAttempt.Status.HELD,
)


def export(person: Person, archive: Archive) -> None:
    rows = Customer.objects.filter(_own(person)).order_by("pk")
    archive.add(
        "customers",
        _("How a payment provider knows you"),
        (
            {
                "provider": get_provider_name(row.provider),
                "provider_number": row.provider_id,
                "email": row.email,
                "created_at": row.created_at,
            }
            for row in rows
        ),
    )


def describe_attempts(attempt_ids: Collection[int]) -> Iterator[Row]:
    """Tell tries to pay, and what went back of them."""
    attempts = PaymentAttempt.objects.filter(pk__in=attempt_ids).order_by("pk")
    for attempt in attempts.prefetch_related("refunds", "disputes"):
        yield {
            "provider": get_provider_name(attempt.provider),
            "provider_number": attempt.provider_payment_id,
            "status": str(attempt.get_status_display()),
            "amount": attempt.amount,
            "currency": attempt.currency,
            "created_at": attempt.created_at,
            "failure": attempt.failure,
            "refunds": [
                {
                    "amount": refund.amount,
                    "status": str(refund.get_status_display()),
                    "reason": refund.reason,
                    "created_at": refund.created_at,
                }
                for refund in attempt.refunds.all()
            ],
        }


def list_messages(attempt_ids: Collection[int]) -> list[Row]:
    """Return what providers told about tries to pay, word for word."""
    events = ProviderEvent.objects.filter(attempt__in=attempt_ids).order_by("pk")
    return [
        {
            "provider": event.provider,
            "type": event.type,
            "received_at": event.received_at,
            "payload": event.payload,
        }
        for event in events
    ]


@inside_transaction
def lock_attempts(attempt_ids: Collection[int]) -> None:
    """Lock attempts by primary key; nobody settles them meanwhile."""
    rows = PaymentAttempt.objects.filter(pk__in=attempt_ids)
    list(rows.select_for_update().order_by("pk").values_list("pk"))


def find_unsettled(attempt_ids: Collection[int]) -> set[int]:
    """Return attempts whose money is still moving: taken, set aside, going back or disputed."""
    is_moving = Q(attempt__in=attempt_ids)
    found = PaymentAttempt.objects.filter(pk__in=attempt_ids, status__in=UNSETTLED)
    return set(found.values_list("pk", flat=True)).union(
        Refund.objects.filter(is_moving, status=Refund.Status.PENDING).values_list(
            "attempt_id", flat=True
        ),
        Capture.objects.filter(is_moving, status=Capture.Status.PENDING).values_list(
            "attempt_id", flat=True
        ),
        Dispute.objects.filter(is_moving, status__in=Dispute.OPEN).values_list(
            "attempt_id", flat=True
        ),
    )


def have_moved_money(attempt_ids: Collection[int]) -> set[int]:
    """Return attempts by which money ever moved: what the books are about."""
    moved = PaymentTransaction.objects.filter(attempt__in=attempt_ids)
    return set(moved.values_list("attempt_id", flat=True))


@inside_transaction
def forget_attempts(attempt_ids: Collection[int], *, is_past_the_law: bool = False) -> int:
    """Empty what attempts and the messages about them say of a person; amounts and numbers stay.

    A bank's reference belongs to the books and goes with them (`is_past_the_law`). Return how many
    messages of providers were emptied.
    """
    attempts = PaymentAttempt.objects.filter(pk__in=attempt_ids)
    attempts.update(redirect_url="", failure="", customer=None)
    refunds = Refund.objects.filter(attempt__in=attempt_ids)
    refunds.update(reason="", failure="")
    Capture.objects.filter(attempt__in=attempt_ids).update(failure="")
    noted = ReconciliationBreak.objects.filter(attempt__in=attempt_ids).exclude(note="")
    noted.update(note="–")
    if is_past_the_law:
        keys = [
            *attempts.values_list("reference", flat=True),
            *refunds.values_list("key", flat=True),
        ]
        OfflineMovement.objects.filter(key__in=keys).update(bank_reference="")
    events = ProviderEvent.objects.filter(attempt__in=attempt_ids).exclude(payload=FORGOTTEN)
    return events.update(payload=FORGOTTEN)


@inside_transaction
def erase(run: ErasureRun) -> None:
    """Delete how providers know the person, and have them forget them, with their cards."""
    for customer in Customer.objects.filter(_own(run.person)).order_by("pk"):
        if customer.provider_id:
            outbox.enqueue(
                "payments.forget_customer",
                key=f"forget-customer:{customer.provider}:{customer.provider_id}",
                provider=customer.provider,
                customer_id=customer.provider_id,
            )
        run.count("payments.Customer", customer.delete()[0] and 1)
    named = _naming(run.person)
    run.count("payments.ProviderEvent", named.update(payload=FORGOTTEN) if named else 0)


@no_transaction
def forget_customer(provider: str, customer_id: str) -> None:
    """Have a provider delete a customer with their cards; one that is not there is gone already.

    Raises `ProviderUnavailable`.
    """
    try:
        get_card_keeper(provider).remove_customer(customer_id=customer_id)
    except UnknownAtProvider:
        return


@no_transaction
def forget_old() -> int:
    """Empty providers' messages that were worked on long ago; that they came stays."""
    before = now() - timedelta(days=settings.RETENTION_PROVIDER_DAYS)
    events = ProviderEvent.objects.filter(processed_at__isnull=False, received_at__lt=before)
    return update_in_batches(events.exclude(payload=FORGOTTEN), payload=FORGOTTEN)


def _own(person: Person) -> Q:
    return person.by_account("user")


def _naming(person: Person) -> QuerySet[Any] | None:
    """Find messages about nobody's payment that name an address, such as those about customers."""
    condition = Q(pk__in=[])
    for email in sorted(person.emails):
        condition |= Q(words__icontains=email)
    if not person.emails:
        return None
    words: TextField[str, str] = TextField()
    rows = ProviderEvent.objects.filter(attempt=None).exclude(payload=FORGOTTEN)
    return rows.annotate(words=Cast("payload", words)).filter(condition)
