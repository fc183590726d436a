"""What being paid, refused or refunded means for an order; called by news from payments."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.errors import OutOfStock
from catalog.services import purchases, stock
from orders.models import Order, OrderLine
from orders.services import ledger, notices, refunding, timeline, transitions
from payments.models import PaymentAttempt, Refund
from payments.services import refunds
from shop.failpoints import failpoint
from shop.formatting import format_money
from shop.money import total
from shop.prepared import Prepared
from shop.transactions import inside_transaction

Status = Order.Status
PaymentStatus = Order.PaymentStatus


_lock_paid_by = Prepared(
    lambda pk: Order.objects.select_for_update(of=("self",)).filter(payments__attempt_id=pk)
)
_held_lines = Prepared(
    lambda pk: OrderLine.objects.filter(
        order_id=pk, is_stock_held=True, variant__isnull=False
    ).values_list("variant_id", "quantity")
)
_products = Prepared(
    lambda pk: (
        OrderLine.objects.filter(order_id=pk, variant__isnull=False)
        .order_by()
        .values_list("variant__product_id", flat=True)
        .distinct()
    )
)


@inside_transaction
def apply_capture(attempt: PaymentAttempt) -> None:
    """Book a paid attempt on its order. Locks the order, then its stock levels.

    A pending order is placed. Money that comes after expiry places the order if all of its stock
    is still there; otherwise, and when the order is cancelled or already paid, it goes back.
    """
    order = book(attempt)
    if order is None:
        return
    if order.status == Status.PENDING:
        _place_paid(order)
    elif order.status == Status.EXPIRED:
        _place_late(order, attempt)
    else:
        with timeline.in_shop_language():
            if order.status == Status.CANCELLED:
                reason = _("This order was cancelled before the money came.")
            else:
                reason = _("This order was already paid.")
        _send_back(attempt, order, reason=reason)
        notices.enqueue(order, "payment_returned", about=attempt.reference)


@inside_transaction
def apply_close(attempt: PaymentAttempt) -> None:
    """Note that an attempt ended unpaid; the order stays open until it expires."""
    order = book(attempt)
    if order is not None:
        with timeline.in_shop_language():
            timeline.note(order, "payment_closed", _("A payment was not completed."))


@inside_transaction
def apply_hold(attempt: PaymentAttempt) -> None:
    """Note money that does not fit the order; nothing is shipped until staff look at it."""
    order = book(attempt)
    if order is not None:
        with timeline.in_shop_language():
            timeline.note(order, "payment_held", _("Payment held: %s") % attempt.failure)


@inside_transaction
def apply_refund(attempt: PaymentAttempt, refund: Refund) -> None:
    """Book a settled refund on the order."""
    order = book(attempt)
    if order is None:
        return
    refunding.apply_settled(order, refund)
    with timeline.in_shop_language():
        timeline.note(order, "refunded", _("Money went back to the shopper."))
    _follow_money(order)


@inside_transaction
def apply_failed_refund(attempt: PaymentAttempt, refund: Refund) -> None:
    """Note that money which was sent back did not arrive; staff send it once more."""
    order = book(attempt)
    if order is None:
        return
    with timeline.in_shop_language():
        timeline.note(order, "refund_failed", _("A refund failed: %s") % refund.failure)
    refunding.apply_failed(order, refund)
    _follow_money(order)


def _follow_money(order: Order) -> None:
    """Let the payment status follow what is left of the money that was taken."""
    if order.status == Status.PENDING:
        return  # Held money of a wrong amount: the order itself is still to be paid.
    counted = [PaymentAttempt.Status.CAPTURED]
    if order.paid_at is None:
        counted.append(PaymentAttempt.Status.HELD)
    paying = order.payments.filter(attempt__status__in=counted).select_related("attempt")
    kept = total((refunds.get_kept(payment.attempt) for payment in paying), order.currency)
    if not kept:
        order.payment_status = PaymentStatus.REFUNDED
    elif order.paid_at is None:
        order.payment_status = PaymentStatus.VOIDED
    elif kept < order.total_money:
        order.payment_status = PaymentStatus.PARTIALLY_REFUNDED
    else:
        order.payment_status = PaymentStatus.PAID
    order.save(update_fields=["payment_status"])


@inside_transaction
def confirm_free_order(order: Order) -> None:
    """Place an order that costs nothing."""
    _place_paid(order)


@inside_transaction
def book(attempt: PaymentAttempt) -> Order | None:
    """Lock an attempt's order and book in the ledger what moved at the provider.

    Every piece of news from payments comes through here, so no movement stays unbooked.
    """
    order = lock_order_of(attempt)
    ledger.post_movements(attempt, order)
    return order


@inside_transaction
def lock_order_of(attempt: PaymentAttempt) -> Order | None:
    """Lock the order that an attempt pays for, if there is one."""
    return _lock_paid_by.first(attempt.pk)


def _place_paid(order: Order) -> None:
    stock.sell(held_stock(order), reference=order.number)
    failpoint("orders.settlement.sold")
    _place(order)
    with timeline.in_shop_language():
        paid = _("Paid %(total)s.") % {"total": format_money(order.total_money)}
        timeline.note(order, "paid", paid)


def _place_late(order: Order, attempt: PaymentAttempt) -> None:
    demand = held_stock(order)
    try:
        with transaction.atomic():
            stock.allocate(demand, reference=order.number)
            stock.sell(demand, reference=order.number)
    except OutOfStock:
        with timeline.in_shop_language():
            reason = _("Paid too late, and no longer in stock.")
        _send_back(attempt, order, reason=reason)
        notices.enqueue(order, "refunded_late", about=attempt.reference)
        return
    _place(order)
    with timeline.in_shop_language():
        timeline.note(order, "paid_late", _("Paid late; everything was still in stock."))


def _place(order: Order) -> None:
    transitions.place(order)
    ledger.post_placement(order)
    _record_purchases(order)
    notices.enqueue(order, "confirmation")


def _record_purchases(order: Order) -> None:
    """Tell the catalogue who bought what, for the mark beside their reviews."""
    assert order.paid_at is not None  # placed just now
    purchases.record(
        _products.list(order.pk),
        order_number=order.number,
        user_id=order.user_id,
        email=order.email,
        bought_at=order.paid_at,
    )


def _send_back(attempt: PaymentAttempt, order: Order, *, reason: str) -> None:
    key = f"{attempt.reference}:return"
    refunding.send_back(attempt, attempt.money, order, key=key, reason=reason)
    timeline.note(order, "refund_requested", reason)


def held_stock(order: Order) -> dict[int, int]:
    """Return how many counted pieces of each variant the order stands for."""
    demand: dict[int, int] = {}
    for variant_id, quantity in _held_lines.list(order.pk):
        demand[variant_id] = demand.get(variant_id, 0) + quantity
    return demand
