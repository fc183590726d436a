"""Orders of a person: told to them, and erased but for what the law has the shop keep.

Amounts, quantities, taxes, dates, numbers and the ledger are never touched. Of an order by which
money moved, the name and address of the invoice stay until the law's time is over
(`RETENTION_ORDER_YEARS`, counted from the end of its year, as § 147 Abs. 4 AO and its like elsewhere
do); of all others nothing stays but the country, which taxes are counted by.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.archive import Archive, Row
from accounts.erasure import ErasureRun
from accounts.person import Person
from accounts.services.people import list_mails
from catalog.services import purchases
from orders.models import (
    LedgerTransaction,
    Order,
    OrderAddress,
    OrderEvent,
    OrderPayment,
    OrderRefund,
    Shipment,
)
from orders.services import refunding, timeline
from payments.models import PaymentAttempt
from payments.services import people as payers
from payments.services import refunds
from shop.clock import now
from shop.models import Mail
from shop.money import total
from shop.services.forgetting import forget_mails, in_batches
from shop.transactions import inside_transaction, no_transaction

Status = Order.Status
NO_ADDRESS = {"name": "", "street": "", "postcode": "", "city": "", "region": "", "phone": ""}
FORGOTTEN = "–"
"""Stands in the timeline where words were."""


def export(person: Person, archive: Archive) -> None:
    """Add orders with all that belongs to them, and the mails about them."""
    found = list(_orders_of(person).order_by("pk"))
    archive.add("orders", _("Orders"), (_describe(order) for order in found))
    attempts = _attempts_of([order.pk for order in found])
    if messages := payers.list_messages(attempts):
        archive.add_json("provider-messages.json", messages)
    mails = _mails_about([order.number for order in found])
    archive.add("order_mails", _("Mails about your orders"), list_mails(mails))


@inside_transaction
def find_obstacles(run: ErasureRun) -> None:
    """Say which orders are not over yet. Locks attempts, then orders, by primary key."""
    found = _orders_of(run.person).exclude(forgotten_at__isnull=False)
    ids = list(found.values_list("pk", flat=True))
    if run.locks:
        payers.lock_attempts(_attempts_of(ids))
        found = Order.objects.filter(pk__in=ids).select_for_update(of=["self"])
    for order in found.order_by("pk"):
        if words := _why_not_over(order):
            run.obstacles.append(words % {"number": order.number})


@inside_transaction
def erase(run: ErasureRun) -> None:
    """Take the person out of their orders. The caller has locked them and seen that all are over."""
    rows = list(_orders_of(run.person).order_by("pk"))
    ids, numbers = [order.pk for order in rows], [order.number for order in rows]
    forget_mails(_is_about(numbers))
    run.count("orders.Order", len(rows))
    run.count("orders.OrderAddress", OrderAddress.objects.filter(order__in=ids).count())
    in_books = _list_in_books(ids)
    _empty(in_books, erased_at=now())
    for order in rows:
        if order.pk in in_books:
            _empty_but_the_invoice(order)
    others = [pk for pk in ids if pk not in in_books]
    _empty(others, erased_at=now(), forgotten_at=now())
    OrderAddress.objects.filter(order__in=others).update(**NO_ADDRESS)
    purchases.forget(numbers)
    with timeline.in_shop_language():
        for order in rows:
            timeline.note(order, "erased", _("The shopper was erased, as they asked for."))


@no_transaction
def forget_old() -> int:
    """Take people out of orders that were never paid, and of those past the law's time."""
    time = now()
    unpaid = Order.objects.filter(
        forgotten_at=None,
        status__in=(Status.CANCELLED, Status.EXPIRED),
        paid_at=None,
        closed_at__lt=time - timedelta(days=settings.RETENTION_UNPAID_DAYS),
    ).exclude(payments__attempt__in=PaymentAttempt.objects.filter(_HAS_OR_MAY_HAVE_MONEY))
    year = timezone.localtime(time).year - settings.RETENTION_ORDER_YEARS
    first_kept = datetime(year, 1, 1, tzinfo=timezone.get_default_timezone())
    past = Order.objects.filter(forgotten_at=None, created_at__lt=first_kept)
    return in_batches(unpaid, _forget) + in_batches(past, _forget)


def _forget(rows: QuerySet[Any]) -> int:
    found = dict(rows.values_list("pk", "number"))
    _empty(list(found), forgotten_at=now(), is_past_the_law=True)
    OrderAddress.objects.filter(order__in=found).update(**NO_ADDRESS)
    purchases.forget(list(found.values()))
    forget_mails(_is_about(found.values()))
    return len(found)


_HAS_OR_MAY_HAVE_MONEY = Q(transactions__isnull=False) | Q(
    status__in=(*PaymentAttempt.OPEN, PaymentAttempt.Status.AUTHORISED, PaymentAttempt.Status.HELD)
)


def _orders_of(person: Person) -> QuerySet[Order]:
    return Order.objects.filter(person.own_or_guest(user="user", email="email"))


def _attempts_of(order_ids: Collection[int]) -> list[int]:
    joined = OrderPayment.objects.filter(order__in=order_ids)
    return list(joined.order_by("attempt_id").values_list("attempt_id", flat=True))


def _is_about(numbers: Collection[str]) -> Q:
    """Return the condition for mails about orders; a reference may go on behind the number."""
    condition = Q(pk__in=[])
    for number in numbers:
        condition |= Q(reference=number) | Q(reference__startswith=f"{number}:")
    return Q(kind__startswith="orders.") & condition


def _mails_about(numbers: Collection[str]) -> QuerySet[Mail]:
    return Mail.objects.filter(_is_about(numbers)).exclude(recipient="")


def _why_not_over(order: Order) -> str:
    attempts = _attempts_of([order.pk])
    if order.status == Status.PENDING:
        return _("Order %(number)s waits for its payment. Pay it or cancel it first.")
    if payers.find_unsettled(attempts) or _is_money_left(order, attempts):
        return _(
            "Money of order %(number)s is still on its way, or a bank is looking into it. As soon as "
            "that is settled you can erase your account."
        )
    is_to_be_sent = (
        order.status == Status.PLACED
        and order.payment_status != Order.PaymentStatus.REFUNDED
        and order.fulfilment_status
        in (Order.FulfilmentStatus.UNFULFILLED, Order.FulfilmentStatus.PARTIALLY_FULFILLED)
    )
    if is_to_be_sent:
        return _("Order %(number)s is not shipped yet. Wait for it, or write to us to cancel it.")
    return ""


def _is_money_left(order: Order, attempt_ids: Collection[int]) -> bool:
    """Say whether the shop has money of an order that fell: it has to go back first."""
    if order.status not in (Status.CANCELLED, Status.EXPIRED):
        return False
    captured = PaymentAttempt.objects.filter(
        pk__in=attempt_ids, status=PaymentAttempt.Status.CAPTURED
    )
    kept = total((refunds.refundable(attempt) for attempt in captured), order.currency)
    return bool(refunding.get_owed(order) < kept)


def _list_in_books(order_ids: Collection[int]) -> list[int]:
    """Return the orders that the books are about: those that were placed, or that money moved for."""
    placed = Order.objects.filter(pk__in=order_ids, paid_at__isnull=False)
    joined = OrderPayment.objects.filter(order__in=order_ids).values_list("attempt_id", "order_id")
    moved = payers.have_moved_money([attempt for attempt, _order in joined])
    return sorted(
        {*placed.values_list("pk", flat=True)}
        | {order for attempt, order in joined if attempt in moved}
    )


def _empty(order_ids: list[int], *, is_past_the_law: bool = False, **marks: datetime) -> None:
    """Take out of orders what neither the books nor the law need."""
    if not order_ids:
        return
    Order.objects.filter(pk__in=order_ids).update(user=None, email="", **marks)
    payers.forget_attempts(_attempts_of(order_ids), is_past_the_law=is_past_the_law)
    OrderEvent.objects.filter(order__in=order_ids).update(message=FORGOTTEN)
    OrderRefund.objects.filter(order__in=order_ids).update(reason="")
    LedgerTransaction.objects.filter(order__in=order_ids).exclude(reason="").update(reason="")
    parcels = Shipment.objects.filter(seller_order__order__in=order_ids)
    parcels.update(tracking_number="", tracking_url="")


def _empty_but_the_invoice(order: Order) -> None:
    """Keep the one address that the invoice names, without the phone."""
    order.addresses.update(phone="")
    kinds = set(order.addresses.values_list("kind", flat=True))
    if OrderAddress.Kind.BILLING in kinds:
        order.addresses.filter(kind=OrderAddress.Kind.SHIPPING).update(**NO_ADDRESS)


def _describe(order: Order) -> Row:
    parcels = Shipment.objects.filter(seller_order__order=order).order_by("pk")
    return {
        "number": order.number,
        "email": order.email,
        "language": order.language,
        "status": str(order.get_status_display()),
        "payment": str(order.get_payment_status_display()),
        "ordered_at": order.created_at,
        "paid_at": order.paid_at,
        "total": order.total,
        "tax": order.tax_total,
        "currency": order.currency,
        "delivery": order.shipping_label,
        "addresses": [
            {
                "kind": str(address.get_kind_display()),
                "name": address.name,
                "street": address.street,
                "postcode": address.postcode,
                "city": address.city,
                "region": address.region,
                "country": address.country,
                "phone": address.phone,
            }
            for address in order.addresses.order_by("pk")
        ],
        "lines": [
            {
                "title": line.title,
                "variant": line.variant_label,
                "sku": line.sku,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
            }
            for line in order.lines.order_by("position", "pk")
        ],
        "shipments": [
            {
                "provider": parcel.carrier,
                "tracking_number": parcel.tracking_number,
                "shipped_at": parcel.shipped_at,
            }
            for parcel in parcels
        ],
        "refunds": [
            {"amount": refund.amount, "reason": refund.reason, "created_at": refund.created_at}
            for refund in order.refunds.order_by("pk")
        ],
        "payments": list(payers.describe_attempts(_attempts_of([order.pk]))),
        "events": list(_tell_events(order)),
    }


def _tell_events(order: Order) -> Iterator[Row]:
    """Tell what happened, not who of the shop did it: that is about them."""
    for event in order.events.order_by("pk"):
        yield {"happened_at": event.created_at, "message": event.message}
