"""What is to be done about an order: the words, the colours and the order of work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.db.models.expressions import OrderBy
from django.utils.translation import gettext as _

from orders.models import Order, OrderLine, OrderPayment
from payments.methods import OFFLINE
from payments.models import Capture, Dispute, PaymentAttempt, Refund
from shop.clock import now
from shop.templatetags.dates import moment

Status = Order.Status
Payment = Order.PaymentStatus
Fulfilment = Order.FulfilmentStatus
Stage = Order.Stage

TO_ANSWER = (Dispute.Status.INQUIRY, Dispute.Status.NEEDS_RESPONSE)
UNSHIPPED = (Fulfilment.UNFULFILLED, Fulfilment.PARTIALLY_FULFILLED)

STAGE_COLOURS = {
    Stage.PENDING.value: "default",
    Stage.PROCESSING.value: "warning",
    Stage.SHIPPED.value: "info",
    Stage.DELIVERED.value: "success",
    Stage.CANCELLED.value: "danger",
    Stage.REFUNDED.value: "danger",
}

# Of an order that gave a part back, some pieces may still be to be sent. Those are few, and found
# by themselves, so that what is to be shipped is found by its index as before.
_LEFT_OF_PARTLY_REFUNDED = OrderLine.objects.filter(
    order__status=Status.PLACED,
    order__payment_status=Payment.PARTIALLY_REFUNDED,
    order__fulfilment_status__in=UNSHIPPED,
    quantity__gt=F("refunded_quantity"),
).order_by()
TO_SHIP = Q(status=Status.PLACED, fulfilment_status__in=UNSHIPPED) & (
    Q(payment_status=Payment.PAID) | Q(pk__in=_LEFT_OF_PARTLY_REFUNDED.values("order_id"))
)
PARTS_TO_SHIP = Q(fulfilment_status__in=UNSHIPPED, order__status=Status.PLACED) & (
    Q(order__payment_status=Payment.PAID)
    | Q(pk__in=_LEFT_OF_PARTLY_REFUNDED.values("seller_order_id"))
)
LAPSES_SOON = timedelta(days=2)
"""How long before an authorisation ends staff are asked to hurry."""
TO_TAKE = Q(status=Status.PLACED, payment_status=Payment.AUTHORIZED)
ON_THE_WAY = Q(status=Status.PLACED, fulfilment_status=Fulfilment.FULFILLED)
WAITING_FOR_MONEY = Q(status=Status.PENDING)
WAITING_FOR_TRANSFER = Q(status=Status.PENDING) & Q(
    Exists(
        OrderPayment.objects.filter(
            order=OuterRef("pk"),
            attempt__provider=OFFLINE,
            attempt__status__in=PaymentAttempt.OPEN,
        )
    )
)
REFUNDS_TO_SEND = Q(status=Refund.Status.PENDING, attempt__provider=OFFLINE)

_IS_REFUNDED = Q(payment_status=Payment.REFUNDED)
_IS_OVER = Q(status__in=(Status.CANCELLED, Status.EXPIRED))
_IS_GOING_ON = ~_IS_REFUNDED & Q(status__in=(Status.PLACED, Status.COMPLETED))
STAGES = {
    Stage.PENDING: ~_IS_REFUNDED & Q(status=Status.PENDING),
    Stage.PROCESSING: _IS_GOING_ON & Q(fulfilment_status__in=UNSHIPPED),
    Stage.SHIPPED: _IS_GOING_ON & Q(fulfilment_status=Fulfilment.FULFILLED),
    Stage.DELIVERED: _IS_GOING_ON & Q(fulfilment_status=Fulfilment.DELIVERED),
    Stage.CANCELLED: ~_IS_REFUNDED & _IS_OVER,
    Stage.REFUNDED: _IS_REFUNDED,
}


@dataclass(frozen=True, slots=True)
class Todo:
    """A few words for the list; `colour` is a label's colour of the admin's look."""

    text: str
    colour: str


def lapsing_orders() -> Q:
    """Select orders whose money is set aside, and will not be for much longer."""
    lapsing = PaymentAttempt.objects.filter(
        status=PaymentAttempt.Status.AUTHORISED, authorised_until__lte=now() + LAPSES_SOON
    )
    return TO_TAKE & Q(pk__in=OrderPayment.objects.filter(attempt__in=lapsing).values("order_id"))


def work_first(condition: Q, *, by: str = "pk") -> OrderBy:
    """Sort the rows that ask for work to the front, the oldest first."""
    return Case(When(condition, then=F(by))).asc(nulls_last=True)


def describe(
    order: Order,
    *,
    waiting_sellers: Iterable[str],
    attempts: Iterable[PaymentAttempt],
    refunds: Iterable[Refund],
    disputes: Iterable[Dispute] = (),
) -> Todo | None:
    """Say what staff have to do next; None when nothing is."""
    attempts, refunds = list(attempts), list(refunds)
    if any(dispute.status in TO_ANSWER for dispute in disputes):
        return Todo(_("Answer the bank: the payment is disputed"), "danger")
    if has_held_money(attempts, refunds):
        return Todo(_("Look at the held payment"), "danger")
    if has_failed_refund(refunds):
        return Todo(_("A refund failed"), "danger")
    if order.payment_status == Payment.AUTHORIZED:
        return _describe_authorised(attempts)
    if order.stage == Stage.PROCESSING and (waiting := ", ".join(waiting_sellers)):
        return Todo(_("Ship: %s") % waiting, "warning")
    if order.stage == Stage.SHIPPED:
        return Todo(_("Mark as delivered"), "info")
    if order.stage == Stage.PENDING and any(map(_waits_offline, attempts)):
        return Todo(_("Look whether the money came"), "info")
    if order.stage == Stage.PENDING:
        return Todo(_("Wait for the payment"), "default")
    offline = {attempt.pk for attempt in attempts if attempt.provider == OFFLINE}
    if any(each.status == Refund.Status.PENDING and each.attempt_id in offline for each in refunds):
        return Todo(_("Send the money back by hand"), "warning")
    if any(refund.status == Refund.Status.PENDING for refund in refunds):
        return Todo(_("Money is going back"), "default")
    return None


def _describe_authorised(attempts: list[PaymentAttempt]) -> Todo:
    """Say what is to be done about an order whose money is only set aside."""
    if is_being_taken(attempts):
        return Todo(_("The money is being taken"), "default")
    until = [each.authorised_until for each in attempts if is_takeable(each)]
    if not until:
        return Todo(_("No money is set aside any more: cancel the order"), "danger")
    if until[0] and until[0] <= now() + LAPSES_SOON:
        return Todo(_("Take the money: until %s") % moment(until[0]), "danger")
    return Todo(_("Take the money, then ship"), "warning")


def is_takeable(attempt: PaymentAttempt) -> bool:
    """Say whether money is set aside that may be taken."""
    return attempt.status == PaymentAttempt.Status.AUTHORISED and attempt.release_asked_at is None


def is_being_taken(attempts: Iterable[PaymentAttempt]) -> bool:
    """Say whether money that is set aside is being taken just now."""
    return any(
        capture.status == Capture.Status.PENDING
        for attempt in attempts
        if is_takeable(attempt)
        for capture in attempt.captures.all()
    )


def _waits_offline(attempt: PaymentAttempt) -> bool:
    return attempt.provider == OFFLINE and attempt.is_open


def has_held_money(attempts: Iterable[PaymentAttempt], refunds: Iterable[Refund]) -> bool:
    """Say whether a payment that did not fit the order still waits for a decision."""
    sent_back = {refund.attempt_id for refund in refunds if refund.status != Refund.Status.FAILED}
    return any(
        attempt.status == PaymentAttempt.Status.HELD and attempt.pk not in sent_back
        for attempt in attempts
    )


def has_failed_refund(refunds: Iterable[Refund]) -> bool:
    """Say whether the last refund of a payment failed; given the oldest first."""
    last = {refund.attempt_id: refund.status for refund in refunds}
    return Refund.Status.FAILED in last.values()


def held_orders() -> Q:
    """Select orders with money that was held and not sent back."""
    sent_back = Refund.objects.exclude(status=Refund.Status.FAILED).values("attempt_id")
    held = PaymentAttempt.objects.filter(status=PaymentAttempt.Status.HELD).exclude(
        pk__in=sent_back
    )
    return Q(pk__in=Order.objects.filter(payments__attempt__in=held).values("pk"))
