"""Everything that is known of one order, in the order in which it happened, for whoever must explain it.

Read in a fixed number of statements, from the rows themselves: nothing here is written for this page.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from catalog.models import StockMovement
from orders.admin.order_page import list_attempts, list_mails
from orders.models import Account, LedgerEntry, LedgerTransaction, Order
from orders.models.ledger import PROVIDER
from orders.queries import list_timeline
from payments.methods import get_provider_name
from payments.models import PaymentAttempt, PaymentTransaction, ProviderEvent, Refund
from shop.formatting import format_money
from shop.models import Mail, OutboxMessage
from shop.money import Money


@dataclass(frozen=True, slots=True)
class Chapter:
    """Something that happened; `detail` is as it was stored, `rows` are amounts by their account."""

    at: datetime
    source: str
    text: str
    who: str = ""
    why: str = ""
    detail: str = ""
    rows: tuple[tuple[str, Money], ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    chapters: list[Chapter]
    balances: list[tuple[str, Money]]


def get_story(order: Order, *, with_payloads: bool) -> Story:
    """Tell an order's story; what the provider told word for word only `with_payloads`."""
    attempts = list_attempts(order)
    refunds = list(Refund.objects.filter(attempt__in=attempts).order_by("pk"))
    events = list(ProviderEvent.objects.filter(attempt__in=attempts).order_by("pk"))
    mails = list_mails(order)
    booked, balances = _tell_ledger(order)
    chapters = [
        *_tell_timeline(order),
        *_tell_stock(order),
        *_tell_payments(attempts, refunds),
        *_tell_events(events, with_payloads=with_payloads),
        *_tell_mails(mails),
        *_tell_tasks(order, refunds, events, mails),
        *booked,
    ]
    return Story(sorted(chapters, key=lambda chapter: chapter.at), balances)


def _tell_timeline(order: Order) -> Iterable[Chapter]:
    for event in list_timeline(order):
        who = event.actor.get_full_name() if event.actor else _("the shop")
        yield Chapter(event.created_at, _("Order"), event.message, who=who)


def _tell_stock(order: Order) -> Iterable[Chapter]:
    moves = StockMovement.objects.filter(reference=order.number).select_related(
        "level__variant", "actor"
    )
    for move in moves.order_by("pk"):
        text = _("%(sku)s: %(kind)s, shelf %(shelf)+d, promised %(promised)+d") % {
            "sku": move.level.variant.sku,
            "kind": move.get_kind_display(),
            "shelf": move.on_hand_change,
            "promised": move.allocated_change,
        }
        who = move.actor.get_full_name() if move.actor else ""
        yield Chapter(move.created_at, _("Stock"), text, who=who, why=move.reason)


def _tell_payments(attempts: list[PaymentAttempt], refunds: list[Refund]) -> Iterable[Chapter]:
    for attempt in attempts:
        text = _("%(amount)s to be paid with %(provider)s; now %(status)s") % {
            "amount": format_money(attempt.money),
            "provider": get_provider_name(attempt.provider),
            "status": attempt.get_status_display(),
        }
        names = filter(
            None, (attempt.reference, attempt.provider_session_id, attempt.provider_payment_id)
        )
        yield Chapter(
            attempt.created_at, _("Payment"), text, why=attempt.failure, detail="\n".join(names)
        )
    for row in PaymentTransaction.objects.filter(attempt__in=attempts).order_by("pk"):
        text = f"{row.get_kind_display()}: {format_money(Money(row.amount, row.currency))}"
        yield Chapter(
            row.created_at,
            _("Payment"),
            text,
            who=get_provider_name(row.provider),
            detail=row.provider_id,
        )
    for refund in refunds:
        text = _("Refund of %(amount)s; now %(status)s") % {
            "amount": format_money(refund.money),
            "status": refund.get_status_display(),
        }
        names = filter(None, (refund.key, refund.provider_id))
        why = " ".join(filter(None, (refund.reason, refund.failure)))
        yield Chapter(refund.created_at, _("Refund"), text, why=why, detail="\n".join(names))


def _tell_events(events: list[ProviderEvent], *, with_payloads: bool) -> Iterable[Chapter]:
    for event in events:
        detail = json.dumps(event.payload, indent=2, ensure_ascii=False) if with_payloads else ""
        yield Chapter(
            event.received_at,
            _("Provider"),
            f"{event.type} {event.event_id}",
            who=get_provider_name(event.provider),
            why=event.outcome or _("not worked on yet"),
            detail=detail,
        )


def _tell_mails(mails: list[Mail]) -> Iterable[Chapter]:
    for mail in mails:
        if mail.sent_at:
            text = _("Sent to %(recipient)s: %(subject)s")
        else:
            text = _("Written to %(recipient)s, not sent yet: %(subject)s")
        words = text % {"recipient": mail.recipient, "subject": mail.subject}
        yield Chapter(mail.sent_at or mail.created_at, _("Mail"), words, why=mail.error)


def _tell_tasks(
    order: Order, refunds: list[Refund], events: list[ProviderEvent], mails: list[Mail]
) -> Iterable[Chapter]:
    """Tell what was decided to be done; done tasks are forgotten after some days."""
    keys = [
        *(f"refund:{refund.pk}" for refund in refunds),
        *(f"event:{event.provider}:{event.event_id}" for event in events),
        *(f"mail:{mail.pk}" for mail in mails),
    ]
    about_it = Q(key__startswith=f"notice:{order.pk}:") | Q(key__in=keys)
    for task in OutboxMessage.objects.filter(about_it).order_by("pk"):
        if task.done_at:
            state = _("done")
        elif task.dead_at:
            state = _("given up")
        else:
            state = _("waiting")
        yield Chapter(
            task.created_at,
            _("Task"),
            f"{task.task} {task.key}: {state}",
            why=task.error.strip().rpartition("\n")[2][:300],
        )


def _tell_ledger(order: Order) -> tuple[list[Chapter], list[tuple[str, Money]]]:
    """Tell what was booked, and what stands on each account now."""
    rows: dict[int, list[tuple[str, Money]]] = defaultdict(list)
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    entries = LedgerEntry.objects.filter(transaction__order=order).select_related(
        "seller", "transaction"
    )
    for entry in entries.order_by("pk"):
        currency = entry.transaction.currency
        name = _name_account(entry.account, entry.seller.name if entry.seller else "")
        rows[entry.transaction_id].append((name, Money(entry.amount, currency)))
        sums[name, currency] += entry.amount
    chapters = [
        Chapter(
            booked.created_at,
            _("Ledger"),
            str(booked.get_kind_display()),
            who=booked.actor.get_full_name() if booked.actor else "",
            why=booked.reason,
            detail=booked.key,
            rows=tuple(rows[booked.pk]),
        )
        for booked in LedgerTransaction.objects.filter(order=order)
        .select_related("actor")
        .order_by("pk")
    ]
    return chapters, [
        (name, Money(amount, currency)) for (name, currency), amount in sums.items() if amount
    ]


def _name_account(account: str, seller: str) -> str:
    if account.startswith(PROVIDER):
        return get_provider_name(account.removeprefix(PROVIDER))
    # A later release may have booked on an account that this one does not know.
    name: Any = Account(account).label if account in Account.values else account
    return f"{name}: {seller}" if seller else str(name)
