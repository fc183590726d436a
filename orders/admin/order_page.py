"""Everything about one order, read in a fixed number of statements for the admin's page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.addressing import address_lines
from catalog.models import StockMovement
from orders.access import order_url
from orders.admin.parts import PartView, list_parts
from orders.admin.todo import (
    STAGE_COLOURS,
    Todo,
    describe,
    has_failed_refund,
    has_held_money,
    is_being_taken,
    is_takeable,
)
from orders.models import Order, OrderAddress, OrderEvent, OrderPayment
from orders.queries import RefundView, Step, list_refunds, list_steps, list_timeline
from orders.services.cancellation import is_cancellable
from orders.services.refunding import STANDING, get_owed
from payments import methods
from payments.models import Dispute, PaymentAttempt, PaymentTransaction, ProviderEvent, Refund
from shop.formatting import format_tax
from shop.models import Mail
from shop.money import Money, total

ATTEMPT_COLOURS = {
    PaymentAttempt.Status.AUTHORISED: "warning",
    PaymentAttempt.Status.CAPTURED: "success",
    PaymentAttempt.Status.HELD: "danger",
    PaymentAttempt.Status.FAILED: "danger",
    PaymentAttempt.Status.PROCESSING: "info",
}
TRANSACTION_COLOURS = {
    PaymentTransaction.Kind.CAPTURE: "success",
    PaymentTransaction.Kind.REFUND: "success",
    PaymentTransaction.Kind.REVERSAL: "danger",
    PaymentTransaction.Kind.DISPUTE: "danger",
    PaymentTransaction.Kind.DISPUTE_WON: "success",
    PaymentTransaction.Kind.FEE: "danger",
    PaymentTransaction.Kind.FEE_RETURNED: "success",
}
REFUND_COLOURS = {Refund.Status.SUCCEEDED: "success", Refund.Status.FAILED: "danger"}
MAIL_KINDS = [
    f"orders.{kind}"
    for kind in (
        *("payment_waiting", "confirmation", "shipped", "delivered", "cancelled", "refunded"),
        *("authorised", "charged", "reduced", "released", "voided", "lapsed"),
        "refunded_late",
        "payment_returned",
        "money_sent",
    )
]


@dataclass(frozen=True, slots=True)
class MoneyMovement:
    """A transaction or a refund of an attempt."""

    label: str
    colour: str
    amount: Money
    provider_id: str
    note: str
    at: datetime
    to_be_sent: int | None = None
    """The refund's key, while staff have to send it themselves."""


@dataclass(frozen=True, slots=True)
class PaymentView:
    id: int
    reference: str
    provider: str
    status_label: str
    colour: str
    amount: Money
    failure: str
    provider_payment_id: str
    created_at: datetime
    checked_at: datetime | None
    authorised_until: datetime | None
    transactions: list[MoneyMovement]
    refunds: list[MoneyMovement]
    events: list[ProviderEvent]


@dataclass(frozen=True, slots=True)
class AddressView:
    kind_label: str
    lines: list[str]
    phone: str


@dataclass(frozen=True, slots=True)
class OrderPage:
    """An order as staff see it; amounts are in the order's currency."""

    id: int
    number: str
    stage_label: str
    stage_colour: str
    todo: Todo | None
    steps: list[Step]
    status_labels: list[tuple[str, str]]
    placed_at: datetime
    email: str
    customer: str
    user_id: int | None
    language: str
    shipping_label: str
    subtotal: Money
    shipping: Money
    discount: Money
    tax_lines: list[tuple[str, Money, Money]]
    total: Money
    prices_include_tax: bool
    addresses: list[AddressView]
    parts: list[PartView]
    payments: list[PaymentView]
    mails: list[Mail]
    movements: list[StockMovement]
    timeline: list[OrderEvent]
    guest_link: str
    can_cancel: bool
    can_capture: bool
    is_uncharged: bool
    owed: Money
    can_check: bool
    can_confirm_again: bool
    can_send_back: bool
    can_receive: bool
    can_refund: bool
    refunds: list[RefundView]


def get_order_page(order: Order) -> OrderPage:
    parts = list_parts(order, order.seller_orders.all())
    attempts = list_attempts(order)
    refunds = list(Refund.objects.filter(attempt__in=attempts).order_by("pk"))
    addresses = list(order.addresses.all())
    currency = order.currency
    given_back = list_refunds(order)
    return OrderPage(
        id=order.pk,
        number=order.number,
        stage_label=str(order.stage.label),
        stage_colour=STAGE_COLOURS[order.stage.value],
        todo=describe(
            order,
            waiting_sellers=_waiting(parts),
            attempts=attempts,
            refunds=refunds,
            disputes=Dispute.objects.filter(attempt__in=attempts),
        ),
        steps=list_steps(order, [parcel.shipment for part in parts for parcel in part.parcels]),
        status_labels=_list_statuses(order),
        placed_at=order.created_at,
        email=order.email,
        customer=next((address.name for address in addresses), ""),
        user_id=order.user_id,
        language=order.language,
        shipping_label=order.shipping_label,
        subtotal=Money(order.items_total, currency),
        shipping=Money(order.shipping_total, currency),
        discount=Money(order.discount_total, currency),
        tax_lines=[
            (format_tax(name, percent), Money(net, currency), Money(tax, currency))
            for name, percent, net, tax in order.tax_lines.values_list(
                "name", "percent", "net", "tax"
            )
        ],
        total=order.total_money,
        prices_include_tax=order.prices_include_tax,
        addresses=[view_address(address) for address in addresses],
        parts=parts,
        payments=_list_payments(attempts, refunds),
        mails=list_mails(order),
        movements=list(
            StockMovement.objects.filter(reference=order.number)
            .select_related("level__variant", "actor")
            .order_by("pk")
        ),
        timeline=list_timeline(order),
        guest_link=order_url(order.number, language=order.language),
        can_cancel=is_cancellable(order),
        can_capture=any(map(is_takeable, attempts)) and not is_being_taken(attempts),
        is_uncharged=order.is_uncharged,
        owed=get_owed(order),
        can_check=bool(attempts),
        can_confirm_again=order.status in (Order.Status.PLACED, Order.Status.COMPLETED),
        can_receive=any(map(_may_come_by_hand, attempts)),
        can_send_back=has_held_money(attempts, refunds)
        or (has_failed_refund(refunds) and _keeps_too_much(order, attempts, refunds)),
        can_refund=order.status in STANDING
        and total((refund.amount for refund in given_back), currency) != order.total_money,
        refunds=given_back,
    )


def view_address(address: OrderAddress) -> AddressView:
    fields = ("name", "street", "postcode", "city", "region", "country")
    return AddressView(
        kind_label=str(address.get_kind_display()),
        lines=address_lines({field: getattr(address, field) for field in fields}),
        phone=address.phone,
    )


def _keeps_too_much(order: Order, attempts: list[PaymentAttempt], refunds: list[Refund]) -> bool:
    """Say whether money is here that is neither owed nor on its way back."""
    captured = {each.pk for each in attempts if each.status == PaymentAttempt.Status.CAPTURED}
    taken = sum(each.amount for each in attempts if each.pk in captured)
    gone = sum(
        refund.amount
        for refund in refunds
        if refund.attempt_id in captured and refund.status != Refund.Status.FAILED
    )
    return taken - gone > get_owed(order).amount


def _may_come_by_hand(attempt: PaymentAttempt) -> bool:
    """Say whether a transfer may come that nobody has written down."""
    has_come = (PaymentAttempt.Status.CAPTURED, PaymentAttempt.Status.HELD)
    return attempt.provider == methods.OFFLINE and attempt.status not in has_come


def _list_statuses(order: Order) -> list[tuple[str, str]]:
    """Name the statuses; what does not stand is not "to be shipped" either."""
    statuses = [
        (_("Order"), str(order.get_status_display())),
        (_("Payment"), str(order.get_payment_status_display())),
    ]
    if order.status in (Order.Status.PLACED, Order.Status.COMPLETED):
        statuses.append((_("Fulfilment"), str(order.get_fulfilment_status_display())))
    return statuses


def _waiting(parts: Iterable[PartView]) -> list[str]:
    return [part.seller for part in parts if part.can_ship]


def list_attempts(order: Order) -> list[PaymentAttempt]:
    rows = OrderPayment.objects.filter(order=order).select_related("attempt").order_by("attempt_id")
    return [row.attempt for row in rows]


def _list_payments(attempts: list[PaymentAttempt], refunds: list[Refund]) -> list[PaymentView]:
    transactions: dict[int, list[MoneyMovement]] = defaultdict(list)
    for row in PaymentTransaction.objects.filter(attempt__in=attempts):
        transactions[row.attempt_id].append(
            MoneyMovement(
                label=str(row.get_kind_display()),
                colour=TRANSACTION_COLOURS[PaymentTransaction.Kind(row.kind)],
                amount=Money(row.amount, row.currency),
                provider_id=row.provider_id,
                note="",
                at=row.created_at,
            )
        )
    offline = {each.pk for each in attempts if each.provider == methods.OFFLINE}
    sent_back: dict[int, list[MoneyMovement]] = defaultdict(list)
    for refund in refunds:
        sent_back[refund.attempt_id].append(
            MoneyMovement(
                label=str(refund.get_status_display()),
                colour=REFUND_COLOURS.get(Refund.Status(refund.status), "default"),
                amount=Money(refund.amount, refund.currency),
                provider_id=refund.provider_id,
                note=refund.failure or refund.reason,
                at=refund.closed_at or refund.created_at,
                to_be_sent=refund.pk
                if refund.attempt_id in offline and refund.status == Refund.Status.PENDING
                else None,
            )
        )
    events: dict[Any, list[ProviderEvent]] = defaultdict(list)
    for event in ProviderEvent.objects.filter(attempt__in=attempts).defer("payload").order_by("pk"):
        events[event.attempt_id].append(event)
    return [
        PaymentView(
            id=attempt.pk,
            reference=attempt.reference,
            provider=methods.get_provider_name(attempt.provider),
            status_label=str(attempt.get_status_display()),
            colour=ATTEMPT_COLOURS.get(PaymentAttempt.Status(attempt.status), "default"),
            amount=attempt.money,
            failure=attempt.failure,
            provider_payment_id=attempt.provider_payment_id or attempt.provider_session_id,
            created_at=attempt.created_at,
            checked_at=attempt.checked_at,
            authorised_until=attempt.authorised_until
            if attempt.status == PaymentAttempt.Status.AUTHORISED
            else None,
            transactions=transactions[attempt.pk],
            refunds=sent_back[attempt.pk],
            events=events[attempt.pk],
        )
        for attempt in attempts
    ]


def list_mails(order: Order) -> list[Mail]:
    about_it = Q(reference=order.number) | Q(reference__startswith=f"{order.number}:")
    mails = Mail.objects.filter(about_it, kind__in=MAIL_KINDS)
    return list(mails.defer("text", "html").order_by("pk"))
