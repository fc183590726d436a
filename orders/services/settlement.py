"""What being paid, refused or refunded means for an order; called by news from payments."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.errors import OutOfStock
from catalog.services import purchases, stock
from orders.models import Order, OrderLine
from orders.services import ledger, notices, refunding, timeline, transitions
from payments.models import Capture, PaymentAttempt, Refund
from payments.services import authorisations, refunds
from shop.failpoints import failpoint
from shop.formatting import format_money
from shop.money import Money, total
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
def apply_authorisation(attempt: PaymentAttempt) -> None:
    """Place the order of money that was set aside. Locks the order, then its stock levels.

    As with a payment, but nothing is booked before it is taken: what comes for an order that is
    cancelled, or placed already, or late and no longer in stock, is let go of.
    """
    order = lock_order_of(attempt)
    if order is None:
        authorisations.request_release(attempt)
        return
    if order.status == Status.PENDING:
        _sell_held(order)
        _place_unpaid(order, attempt)
    elif order.status != Status.EXPIRED:
        with timeline.in_shop_language():
            _let_go(attempt, order, reason=_("A second payment is not needed."))
    elif _sell_late(order):
        _place_unpaid(order, attempt)
    else:
        with timeline.in_shop_language():
            _let_go(attempt, order, reason=_("Authorised too late, and no longer in stock."))


@inside_transaction
def apply_failed_capture(attempt: PaymentAttempt, capture: Capture) -> None:
    """Note that money which is set aside could not be taken; staff try again or cancel."""
    order = lock_order_of(attempt)
    if order is not None:
        with timeline.in_shop_language():
            text = _("The money could not be taken: %s") % capture.failure
            timeline.note(order, "capture_failed", text)


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
    elif order.is_uncharged and _is_its_own(attempt):
        _charge(order, attempt)
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
    """Note that an attempt ended unpaid; the order stays open until it expires.

    Where the money was set aside and nobody took it in time, a placed order ends with it.
    """
    order = book(attempt)
    if order is None:
        return
    with timeline.in_shop_language():
        if order.is_uncharged and _is_its_own(attempt):
            _lapse(order)
        elif attempt.authorised_at:
            timeline.note(order, "released", _("Money that was set aside was let go of."))
        else:
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
    if order.status == Status.PENDING or order.is_uncharged:
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


def _sell_held(order: Order) -> None:
    stock.sell(held_stock(order), reference=order.number)
    failpoint("orders.settlement.sold")


def _place_paid(order: Order) -> None:
    _sell_held(order)
    _place(order)
    with timeline.in_shop_language():
        paid = _("Paid %(total)s.") % {"total": format_money(order.total_money)}
        timeline.note(order, "paid", paid)


def _is_its_own(attempt: PaymentAttempt) -> bool:
    """Say whether an order was placed for the money that this attempt set aside."""
    return attempt.authorised_at is not None and attempt.release_asked_at is None


def _place_unpaid(order: Order, attempt: PaymentAttempt) -> None:
    transitions.authorise(order)
    notices.enqueue(order, "authorised")
    with timeline.in_shop_language():
        text = _("%(total)s is set aside; nothing is taken yet.")
        timeline.note(order, "authorised", text % {"total": format_money(attempt.money)})


def _let_go(attempt: PaymentAttempt, order: Order, *, reason: str) -> None:
    authorisations.request_release(attempt)
    timeline.note(order, "release_requested", reason)
    notices.enqueue(order, "released", about=attempt.reference)


def _charge(order: Order, attempt: PaymentAttempt) -> None:
    """Make an order paid whose money was taken now, and book what it was for.

    What was given out of it before is booked as given back; was more taken than still stands, as
    the provider's own pages allow, the surplus goes back.
    """
    owed, taken = refunding.get_owed(order), refunds.refundable(attempt)
    transitions.pay(order)
    ledger.post_placement(order)
    for order_refund in order.refunds.filter(is_uncharged=True, failed_at=None).order_by("pk"):
        ledger.post_return(order_refund)
    _record_purchases(order)
    notices.enqueue(order, "charged")
    with timeline.in_shop_language():
        text = _("%(amount)s was taken.") % {"amount": format_money(taken)}
        timeline.note(order, "charged", text)
        if owed < taken:
            surplus = Money(taken.amount - owed.amount, order.currency)
            reason = _("More was taken than the order still stood for.")
            refunding.send_back(
                attempt, surplus, order, reason=reason, key=f"{attempt.reference}:surplus"
            )
            timeline.note(order, "refund_requested", reason)
    _follow_money(order)


def _lapse(order: Order) -> None:
    """Cancel an order whose money was not taken in time; its pieces go back on the shelf."""
    reason = _("The money was not taken in time.")
    refunding.give_all_back(order, (), by=None, reason=reason, restock=True)
    transitions.cancel(order)
    timeline.note(order, "lapsed", _("Cancelled: %s") % reason)
    notices.enqueue(order, "lapsed")


def _sell_late(order: Order) -> bool:
    """Sell what an expired order once held, if all of it is still there, and an address to send it to."""
    if order.forgotten_at:
        return False
    demand = held_stock(order)
    try:
        with transaction.atomic():
            stock.allocate(demand, reference=order.number)
            stock.sell(demand, reference=order.number)
    except OutOfStock:
        return False
    return True


def _place_late(order: Order, attempt: PaymentAttempt) -> None:
    if not _sell_late(order):
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
    refunding.send_back(attempt, refunds.refundable(attempt), order, key=key, reason=reason)
    timeline.note(order, "refund_requested", reason)


def held_stock(order: Order) -> dict[int, int]:
    """Return how many counted pieces of each variant the order stands for."""
    demand: dict[int, int] = {}
    for variant_id, quantity in _held_lines.list(order.pk):
        demand[variant_id] = demand.get(variant_id, 0) + quantity
    return demand
