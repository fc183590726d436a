"""Cancelling: by the shopper before paying, by staff until the parcel leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from cart.models import Cart
from cart.services import carts
from catalog.services import stock
from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import notices, refunding, timeline, transitions
from orders.services.payment import is_unclear, list_open_attempts
from orders.services.settlement import held_stock
from payments.models import PaymentAttempt, Refund
from payments.services import authorisations, refunds
from payments.services import settlement as payment_settlement
from shop.failpoints import failpoint
from shop.locking import retry_when_busy
from shop.money import Money, total
from shop.transactions import no_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User

WITH_MONEY = (PaymentAttempt.Status.CAPTURED, PaymentAttempt.Status.HELD)
AUTHORISED = PaymentAttempt.Status.AUTHORISED


@no_transaction
def cancel_unpaid(order: Order, *, by: User | None, into: Cart | None = None) -> Cart:
    """Give up a pending order and put its items back in a cart, which is returned.

    They join what is in the open cart `into`, else a cart of their own is opened for `by`. The
    provider's page is closed first; raises `ActionNotAllowed` when the money was faster,
    `ProviderUnavailable` when the provider cannot be asked.
    """
    for attempt_id in list_open_attempts(order):
        payment_settlement.settle(attempt_id, give_up=True)
    failpoint("orders.cancellation.closed")
    return _cancel_unpaid(order.pk, by=by, into=into)


@retry_when_busy
@own_transaction
def _cancel_unpaid(order_id: int, *, by: User | None, into: Cart | None) -> Cart:
    cart = carts.lock(into.pk) if into else None
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.status != Order.Status.PENDING or is_unclear(order):
        raise ActionNotAllowed(_("This order cannot be cancelled any more: it is being paid."))
    stock.release(held_stock(order), reference=order.number)
    transitions.cancel(order)
    with timeline.in_shop_language():
        timeline.note(order, "cancelled", _("Cancelled before paying."), actor=by)
    quantities = {
        line.variant_id: line.quantity for line in order.lines.all() if line.variant_id is not None
    }
    cart = carts.refill(cart, quantities=quantities, user=by)
    failpoint("orders.cancellation.released")
    return cart


@no_transaction
def cancel(order: Order, *, by: User, reason: str, restock: bool = True) -> None:
    """Cancel an order as staff, tell the shopper and send the money back.

    A payment that a bank still works on stays open; its money goes back when it comes. What was only
    set aside is let go of. Raises `ActionNotAllowed` once a parcel has left, or while such money is
    being taken. Locks attempts, the order, then stock.
    """
    if order.status == Order.Status.PENDING:
        for attempt_id in list_open_attempts(order):
            payment_settlement.settle(attempt_id, give_up=True)
    _cancel(order.pk, by=by, reason=reason, restock=restock)


@retry_when_busy
@own_transaction
def _cancel(order_id: int, *, by: User, reason: str, restock: bool) -> None:
    paying = refunding.lock_paying(order_id, (*WITH_MONEY, AUTHORISED))
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.status == Order.Status.CANCELLED:
        raise ActionNotAllowed(_("This order is cancelled already."))
    if order.status == Order.Status.EXPIRED:
        raise ActionNotAllowed(_("This order was not paid in time; there is nothing to cancel."))
    if not is_cancellable(order):
        raise ActionNotAllowed(_("A parcel of this order has left; it cannot be cancelled."))
    was_uncharged = order.is_uncharged
    refunding.refuse_while_taking(paying)
    if order.status == Order.Status.PENDING:
        stock.release(held_stock(order), reference=order.number)
        for attempt in paying:
            refunding.send_back(attempt, refunds.refundable(attempt), order, by=by, reason=reason)
    else:
        refunding.give_all_back(order, paying, by=by, reason=reason, restock=restock)
    for attempt in paying:
        if attempt.status == AUTHORISED:
            authorisations.request_release(attempt)
    transitions.cancel(order)
    with timeline.in_shop_language():
        timeline.note(order, "cancelled", _("Cancelled: %s") % reason, actor=by)
    notices.enqueue(order, "voided" if was_uncharged else "cancelled")
    failpoint("orders.cancellation.refunding")


@retry_when_busy
@own_transaction
def send_money_back(order: Order, *, by: User) -> bool:
    """Refund what an order must not keep; say whether there was anything.

    That is money held because it did not fit, and money whose refund failed: all that a closed
    order took, what a standing one took beyond its total. Locks the attempts, then the order.
    """
    attempts = refunding.lock_paying(order.pk, WITH_MONEY)
    order = Order.objects.select_for_update().get(pk=order.pk)
    too_much = _list_too_much(order, attempts)
    if not too_much:
        return False
    with timeline.in_shop_language():
        for attempt, amount in too_much:
            reason = _("Sent back by the shop.")
            sent = refunding.send_back(attempt, amount, order, by=by, reason=reason)
            if sent is not None:
                refunding.join_again(order, sent)
        timeline.note(order, "refund_requested", _("Money is sent back."), actor=by)
    failpoint("orders.cancellation.sent_again")
    return True


def _list_too_much(
    order: Order, attempts: list[PaymentAttempt]
) -> list[tuple[PaymentAttempt, Money]]:
    """List how much of each attempt the order must not keep; first of those whose refund failed."""
    owed = refunding.get_owed(order)
    left = {attempt: refunds.refundable(attempt) for attempt in attempts}
    captured = [each for each in attempts if each.status == PaymentAttempt.Status.CAPTURED]
    surplus = total((left[each] for each in captured), order.currency) - owed
    too_much = [(each, left[each]) for each in attempts if each not in captured]
    for attempt in sorted(captured, key=_has_failed_refund, reverse=True):
        amount = min(left[attempt], surplus)
        if Money.zero(order.currency) < amount:
            too_much.append((attempt, amount))
            surplus = surplus - amount
    return [(attempt, amount) for attempt, amount in too_much if amount]


def _has_failed_refund(attempt: PaymentAttempt) -> bool:
    return attempt.refunds.filter(status=Refund.Status.FAILED).exists()


def is_cancellable(order: Order) -> bool:
    """Say whether staff may still cancel: until anything was shipped."""
    return (
        order.status in (Order.Status.PENDING, Order.Status.PLACED)
        and order.fulfilment_status == Order.FulfilmentStatus.UNFULFILLED
    )
