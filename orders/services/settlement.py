"""What being paid, refused or refunded means for an order; called by news from payments."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.errors import OutOfStock
from catalog.services import stock
from orders.models import Order, OrderPayment
from orders.services import notices, timeline
from payments.models import PaymentAttempt
from payments.services import refunds
from shop.clock import now
from shop.formatting import format_money
from shop.transactions import inside_transaction

Status = Order.Status
PaymentStatus = Order.PaymentStatus


@inside_transaction
def apply_capture(attempt: PaymentAttempt) -> None:
    """Book a paid attempt on its order. Locks the order, then its stock levels.

    A pending order is placed. Money that comes after expiry places the order if all of its stock
    is still there; otherwise, and when the order is cancelled or already paid, it goes back.
    """
    order = _lock_order_of(attempt)
    if order is None:
        return
    if order.status == Status.PENDING:
        _place_paid(order)
    elif order.status == Status.EXPIRED:
        _place_late(order, attempt)
    elif order.status == Status.CANCELLED:
        _send_back(attempt, order, reason=_("This order was cancelled before the money came."))
        notices.enqueue(order, "payment_returned", about=attempt.reference)
    else:
        _send_back(attempt, order, reason=_("This order was already paid."))
        notices.enqueue(order, "payment_returned", about=attempt.reference)


@inside_transaction
def apply_close(attempt: PaymentAttempt) -> None:
    """Note that an attempt ended unpaid; the order stays open until it expires."""
    order = _lock_order_of(attempt)
    if order is not None:
        timeline.note(order, "payment_closed", _("A payment was not completed."))


@inside_transaction
def apply_hold(attempt: PaymentAttempt) -> None:
    """Note money that does not fit the order; nothing is shipped until staff look at it."""
    order = _lock_order_of(attempt)
    if order is not None:
        timeline.note(order, "payment_held", _("Payment held: %s") % attempt.failure)


@inside_transaction
def apply_refund(attempt: PaymentAttempt) -> None:
    """Book a settled refund: the payment status follows what is left of the captured amount."""
    order = _lock_order_of(attempt)
    if order is None:
        return
    timeline.note(order, "refunded", _("Money went back to the shopper."))
    if order.status == Status.PENDING:
        return  # Held money of a wrong amount: the order itself is still to be paid.
    paying = order.payments.filter(attempt__status=PaymentAttempt.Status.CAPTURED)
    kept = [refunds.refundable(payment.attempt) for payment in paying.select_related("attempt")]
    if not any(kept):
        order.payment_status = PaymentStatus.REFUNDED
    elif order.total_money not in kept:
        order.payment_status = PaymentStatus.PARTIALLY_REFUNDED
    order.save(update_fields=["payment_status"])


@inside_transaction
def confirm_free_order(order: Order) -> None:
    """Place an order that costs nothing."""
    _place_paid(order)


def _lock_order_of(attempt: PaymentAttempt) -> Order | None:
    payment = OrderPayment.objects.filter(attempt=attempt).first()
    if payment is None:
        return None
    return Order.objects.select_for_update().get(pk=payment.order_id)


def _place_paid(order: Order) -> None:
    stock.sell(held_stock(order), reference=order.number)
    _mark_paid(order)
    timeline.note(order, "paid", _("Paid %(total)s.") % {"total": format_money(order.total_money)})


def _place_late(order: Order, attempt: PaymentAttempt) -> None:
    demand = held_stock(order)
    try:
        with transaction.atomic():
            stock.allocate(demand, reference=order.number)
            stock.sell(demand, reference=order.number)
    except OutOfStock:
        _send_back(attempt, order, reason=_("Paid too late, and no longer in stock."))
        notices.enqueue(order, "refunded_late")
        return
    _mark_paid(order)
    timeline.note(order, "paid_late", _("Paid late; everything was still in stock."))


def _mark_paid(order: Order) -> None:
    order.status = Status.PLACED
    order.payment_status = PaymentStatus.PAID
    order.paid_at = now()
    order.closed_at = None
    order.save(update_fields=["status", "payment_status", "paid_at", "closed_at"])
    notices.enqueue(order, "confirmation")


def _send_back(attempt: PaymentAttempt, order: Order, *, reason: str) -> None:
    refunds.request(attempt, amount=attempt.money, key=f"{attempt.reference}:return", reason=reason)
    timeline.note(order, "refund_requested", reason)


def held_stock(order: Order) -> dict[int, int]:
    """Return how many counted pieces of each variant the order stands for."""
    demand: dict[int, int] = {}
    for line in order.lines.filter(is_stock_held=True, variant__isnull=False):
        assert line.variant_id is not None
        demand[line.variant_id] = demand.get(line.variant_id, 0) + line.quantity
    return demand
