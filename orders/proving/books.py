"""What must be true at the end: our books, the provider's, the shelves and the mails agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db.models import Count, F, Q, Sum

from catalog.models import StockLevel
from orders.models import (
    LedgerEntry,
    Order,
    OrderLine,
    OrderPayment,
    OrderRefund,
    OrderRefundLine,
)
from orders.models.ledger import PROVIDER
from orders.proving.shopper import Purchase
from payments.gateways.paypal_amounts import from_paypal
from payments.gateways.stripe_amounts import from_stripe
from payments.methods import PAYPAL, STRIPE
from payments.models import PaymentAttempt, PaymentTransaction, Refund
from payments.simulator import paypal_orders
from payments.simulator.store import Document, Store
from shop import invariants
from shop.clock import now
from shop.models import Mail, OutboxMessage
from shop.money import Money
from shop.services import relay
from shop.transactions import own_transaction

EVERYTHING = 10**9
ON_ITS_WAY = timedelta(seconds=40)
"""How long a task may lie in the broker before a hurried proof takes it for lost."""
TAKEN = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
"""Captures at PayPal whose money the shop got."""
STANDING = (Order.Status.PLACED, Order.Status.COMPLETED)


@dataclass(frozen=True)
class ProviderBooks:
    """Charges that succeeded and refunds that did not fail, each by id; references by charge.

    `of` names who keeps the books by charge or refund. `approved` are references of payments that
    shoppers agreed to and that the shop has not taken.
    """

    charges: dict[str, Money]
    refunds: dict[str, Money]
    references: dict[str, str]
    of: dict[str, str] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)


@dataclass
class Verdict:
    """Numbers for the owner, and every line that must not be there."""

    taken: Decimal = Decimal(0)
    sent_back: Decimal = Decimal(0)
    sold: int = 0
    stocked: int = 0
    orders_paid: int = 0
    orders_sent_back: int = 0
    orders_partly_sent_back: int = 0
    refunds_of_pieces: int = 0
    paid_by: Counter[str] = field(default_factory=Counter)
    orders_unpaid: int = 0
    charged_twice: int = 0
    lost: int = 0
    oversold: int = 0
    told_twice: int = 0
    copies_of_mails: int = 0
    mails: int = 0
    invariants_checked: int = 0
    violations: list[str] = field(default_factory=list)


def read_provider(state: Path) -> ProviderBooks:
    """Read the simulator's own books, as Stripe and as PayPal, from its file."""
    store = Store(str(state))

    def list_all(kind: str) -> list[Document]:
        return store.list_documents(kind, [], limit=EVERYTHING)

    try:
        charges = [each for each in list_all("charge") if each["status"] == "succeeded"]
        refunds = [each for each in list_all("refund") if each["status"] != "failed"]
        captures = [each for each in list_all(paypal_orders.CAPTURE) if each["status"] in TAKEN]
        sent = [each for each in list_all(paypal_orders.REFUND) if each["status"] != "FAILED"]
        orders = list_all(paypal_orders.ORDER)
    finally:
        store.close()
    by_stripe, by_paypal = [*charges, *refunds], [*captures, *sent]
    return ProviderBooks(
        charges={each["id"]: _money(each) for each in (*charges, *captures)},
        refunds={each["id"]: _money(each) for each in (*refunds, *sent)},
        references={each["id"]: _reference(each) for each in (*charges, *captures)},
        of={each["id"]: STRIPE for each in by_stripe} | {each["id"]: PAYPAL for each in by_paypal},
        approved={
            each["unit"]["invoice_id"]
            for each in orders
            if (each["status"], each["outcome"]) == ("APPROVED", "completed")
        },
    )


def list_unfinished(provider: ProviderBooks) -> list[str]:
    """Say what still has to happen before the books can be compared."""
    booked = set(_ours(PaymentTransaction.Kind.CAPTURE))
    open_tasks = OutboxMessage.objects.filter(done_at=None, dead_at=None).count()
    unsent = Mail.objects.filter(sent_at=None).count()
    pending = Refund.objects.filter(status=Refund.Status.PENDING).count()
    unheard = len(provider.charges.keys() - booked)
    untaken = PaymentAttempt.objects.filter(
        status__in=PaymentAttempt.OPEN, reference__in=provider.approved
    ).count()
    return [
        f"{count} {what}"
        for count, what in (
            (open_tasks, "tasks wait"),
            (unsent, "mails are unsent"),
            (pending, "refunds are pending"),
            (unheard, "payments were not heard of"),
            (untaken, "approved payments were not taken"),
        )
        if count
    ]


def judge(
    provider: ProviderBooks,
    purchases: Iterable[Purchase],
    *,
    pieces: Mapping[int, int],
    mails: Mapping[str, int],
) -> Verdict:
    """Compare everything with everything; call it once nothing is left to be done."""
    verdict = Verdict()
    _check_invariants(verdict)
    _compare_money(verdict, provider)
    _compare_ledger(verdict, provider)
    _look_for_lost_orders(verdict, provider, list(purchases))
    _count_pieces(verdict, pieces)
    _count_mails(verdict, mails)
    dead = OutboxMessage.objects.exclude(dead_at=None).values_list("task", "error")
    verdict.violations += [f"a task was given up: {task}: {error}" for task, error in dead]
    return verdict


def _check_invariants(verdict: Verdict) -> None:
    verdict.invariants_checked = len(invariants.list_invariants())
    verdict.violations += [
        f"{each.id} {each.title}: {each.detail}" for each in invariants.find_violations()
    ]


def _compare_money(verdict: Verdict, provider: ProviderBooks) -> None:
    for kind, theirs in (
        (PaymentTransaction.Kind.CAPTURE, provider.charges),
        (PaymentTransaction.Kind.REFUND, provider.refunds),
    ):
        ours = _ours(kind)
        verdict.violations += [
            f"{kind} {id}: the provider says {_say(theirs.get(id))}, we say {_say(ours.get(id))}"
            for id in sorted(ours.keys() | theirs.keys())
            if ours.get(id) != theirs.get(id)
        ]
    verdict.paid_by = Counter(provider.of.get(id, "") for id in provider.charges)
    verdict.taken = sum((each.amount for each in provider.charges.values()), Decimal(0))
    verdict.sent_back = sum((each.amount for each in provider.refunds.values()), Decimal(0))


def _compare_ledger(verdict: Verdict, provider: ProviderBooks) -> None:
    """Each provider holds what our ledger says it holds: charged less refunded, to the cent."""
    stands = dict(
        LedgerEntry.objects.filter(account__startswith=PROVIDER)
        .order_by()
        .values_list("account")
        .annotate(Sum("amount"))
    )
    for name in sorted(set(provider.of.values())):
        signed = [
            *(each.amount for id, each in provider.charges.items() if provider.of[id] == name),
            *(-each.amount for id, each in provider.refunds.items() if provider.of[id] == name),
        ]
        holds, booked = sum(signed, Decimal(0)), stands.get(f"{PROVIDER}{name}", Decimal(0))
        if holds != booked:
            verdict.violations.append(f"{name} holds {holds}, the ledger says {booked}")


def _look_for_lost_orders(
    verdict: Verdict, provider: ProviderBooks, purchases: list[Purchase]
) -> None:
    """Each charge has a standing order or went back; no order keeps two; no cart made two."""
    refunded = dict(
        Refund.objects.filter(status=Refund.Status.SUCCEEDED)
        .order_by()
        .values_list("attempt_id")
        .annotate(Sum("amount"))
    )
    by_reference = {
        link.attempt.reference: link
        for link in OrderPayment.objects.select_related("attempt", "order")
    }
    kept: Counter[str] = Counter()
    for charge, reference in provider.references.items():
        link = by_reference.get(reference)
        if link is None:
            verdict.lost += 1
            verdict.violations.append(f"charge {charge} has no order")
            continue
        number, status = link.order.number, link.order.status
        if refunded.get(link.attempt_id, 0) >= provider.charges[charge].amount:
            continue
        kept[number] += 1
        if status not in STANDING:
            verdict.lost += 1
            verdict.violations.append(f"order {number} was paid, is {status}, and keeps the money")
    for number, count in kept.items():
        if count > 1:
            verdict.charged_twice += 1
            verdict.violations.append(f"order {number} keeps {count} payments")
    for purchase in purchases:
        if purchase.outcome == "paid" and not Order.objects.filter(number=purchase.order).exists():
            verdict.lost += 1
            verdict.violations.append(f"order {purchase.order} was paid and is not there")
    counts = Order.objects.aggregate(
        paid=Count("pk", filter=Q(status__in=STANDING)),
        back=Count("pk", filter=Q(payment_status="refunded")),
        partly=Count("pk", filter=Q(payment_status="partially_refunded")),
        unpaid=Count("pk", filter=Q(payment_status="voided")),
        pending=Count("pk", filter=Q(status="pending")),
    )
    verdict.orders_paid, verdict.orders_sent_back = counts["paid"], counts["back"]
    verdict.orders_unpaid, verdict.orders_partly_sent_back = counts["unpaid"], counts["partly"]
    verdict.refunds_of_pieces = OrderRefund.objects.exclude(key__startswith="cancel:").count()
    if counts["pending"]:
        verdict.violations.append(f"{counts['pending']} orders still wait an hour later")
    placed, seen = Order.objects.count(), {each.order for each in purchases if each.order}
    if placed > len(purchases):
        verdict.violations.append(f"{len(purchases)} purchases made {placed} orders")
    for number in seen - set(Order.objects.values_list("number", flat=True)):
        verdict.violations.append(f"order {number} was seen by a shopper and is gone")


def _count_pieces(verdict: Verdict, pieces: Mapping[int, int]) -> None:
    """What was sold and not put back is what is missing from the shelves."""
    sold = Counter(
        dict(
            OrderLine.objects.exclude(order__paid_at=None)
            .order_by()
            .values_list("variant_id")
            .annotate(Sum("quantity"))
        )
    )
    sold.subtract(
        dict(
            OrderRefundLine.objects.order_by()
            .values_list("order_line__variant_id")
            .annotate(Sum("restocked"))
        )
    )
    verdict.stocked, verdict.sold = sum(pieces.values()), sum(sold.values())
    for variant, at_first in pieces.items():
        level = StockLevel.objects.get(variant_id=variant)
        gone = sold.get(variant, 0)
        verdict.oversold += max(0, gone - at_first)
        if level.allocated or level.on_hand + gone != at_first:
            verdict.violations.append(
                f"variant {variant}: {at_first} at first, {gone} sold, {level.on_hand} left, "
                f"{level.allocated} promised to nobody"
            )


def _count_mails(verdict: Verdict, mails: Mapping[str, int]) -> None:
    """One mail per order and occasion was written, and each reached the mail server."""
    twice = Mail.objects.values("kind", "reference").annotate(times=Count("pk")).filter(times__gt=1)
    verdict.told_twice = len(twice)
    confirmed = Mail.objects.filter(kind="orders.confirmation").count()
    paid = Order.objects.exclude(paid_at=None).count()
    if confirmed != paid:
        verdict.violations.append(f"{paid} orders were paid, {confirmed} confirmations written")
    written = Mail.objects.count()
    if len(mails) != written:
        verdict.violations.append(f"{written} mails written, {len(mails)} arrived")
    verdict.mails = len(mails)
    verdict.copies_of_mails = sum(mails.values()) - len(mails)


@own_transaction
def end_pauses() -> None:
    """Let leases, pauses between tries and a dead worker's mails be over, as if time had passed.

    A lease is left for a while all the same: what is still on its way through the broker would be
    handed over a second time, and a third, until workers see nothing else.
    """
    waiting = OutboxMessage.objects.filter(done_at=None, dead_at=None)
    waiting.update(available_at=now())
    waiting.filter(leased_until__lt=now() + relay.LEASE - ON_ITS_WAY).update(leased_until=None)
    Mail.objects.filter(sent_at=None).update(sending_at=F("sending_at") - timedelta(minutes=10))
    PaymentAttempt.objects.filter(status__in=PaymentAttempt.OPEN).update(asked_at=None)


@own_transaction
def turn_clock(by: timedelta) -> int:
    """Let so much time pass for what is still unpaid; return how many orders that are."""
    unpaid = Order.objects.filter(status=Order.Status.PENDING)
    attempts = PaymentAttempt.objects.exclude(status=PaymentAttempt.Status.CAPTURED)
    attempts.update(expires_at=F("expires_at") - by, asked_at=None)
    return unpaid.update(expires_at=F("expires_at") - by)


def measure_waits(purchases: Iterable[Purchase]) -> list[float]:
    """Return how long after the shopper agreed to pay each order was placed, in seconds."""
    paid_at = {
        number: moment.timestamp()
        for number, moment in Order.objects.values_list("number", "paid_at")
        if moment is not None
    }
    return sorted(
        max(0.0, paid_at[each.order] - each.paid_at)
        for each in purchases
        if each.paid_at and each.order in paid_at
    )


def _ours(kind: PaymentTransaction.Kind) -> dict[str, Money]:
    rows = PaymentTransaction.objects.filter(kind=kind)
    return {
        id: Money(amount, currency)
        for id, amount, currency in rows.values_list("provider_id", "amount", "currency")
    }


def _say(money: Money | None) -> str:
    return f"{money.amount} {money.currency}" if money else "nothing"


def _money(document: Mapping[str, Any]) -> Money:
    if document["object"] in (paypal_orders.CAPTURE, paypal_orders.REFUND):
        return from_paypal(document["amount"])
    return from_stripe(document["amount"], document["currency"].upper())


def _reference(charge: Mapping[str, Any]) -> str:
    if charge["object"] == paypal_orders.CAPTURE:
        return str(charge["invoice_id"])
    return str((charge.get("metadata") or {}).get("reference", ""))
