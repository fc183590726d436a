"""What happens at the provider without us: refunds begun there, and disputes of shoppers' banks."""

from __future__ import annotations

from django.utils.translation import gettext as _

from orders.models import Order
from orders.services import refunding, timeline
from orders.services.settlement import book, lock_order_of
from payments.models import Dispute, PaymentAttempt, PaymentTransaction, Refund
from payments.services import refunds
from shop.formatting import format_money
from shop.money import Money
from shop.transactions import inside_transaction


@inside_transaction
def note_refund(attempt: PaymentAttempt, refund: Refund) -> None:
    """Say of a refund that nobody began in the shop where it began."""
    order = lock_order_of(attempt) if refund.is_begun_elsewhere else None
    if order is not None:
        with timeline.in_shop_language():
            text = _("%(amount)s went back; it was begun at the provider, not in the shop.")
            timeline.note(order, "refund_imported", text % {"amount": format_money(refund.money)})


@inside_transaction
def note_dispute(attempt: PaymentAttempt, dispute: Dispute) -> None:
    """Note that a bank asks for the money back, and until when it waits for an answer."""
    order = lock_order_of(attempt)
    if order is not None:
        with timeline.in_shop_language():
            text = _("The shopper's bank disputes %(amount)s (%(reason)s).") % {
                "amount": format_money(dispute.money),
                "reason": dispute.reason or _("no reason given"),
            }
            timeline.note(order, "dispute_opened", text)


@inside_transaction
def note_movement(attempt: PaymentAttempt, transaction: PaymentTransaction) -> None:
    """Book and note what the bank took back or gave back, and what the provider charges for it."""
    order = book(attempt)
    if order is None:
        return
    with timeline.in_shop_language():
        Kind = PaymentTransaction.Kind
        text = {
            Kind.DISPUTE: _("%s was withdrawn because of the dispute."),
            Kind.DISPUTE_WON: _("%s came back after the dispute."),
            Kind.FEE: _("The provider charged %s for the dispute."),
            Kind.FEE_RETURNED: _("The provider took its fee of %s for the dispute back."),
        }[Kind(transaction.kind)]
        amount = format_money(Money(transaction.amount, transaction.currency))
        is_fee = transaction.kind in (Kind.FEE, Kind.FEE_RETURNED)
        timeline.note(order, "provider_fee" if is_fee else "dispute_moved", text % amount)


@inside_transaction
def apply_end_of_dispute(attempt: PaymentAttempt, dispute: Dispute) -> None:
    """Note how a dispute ended. Locks the order.

    What comes back for an order that was cancelled or expired meanwhile is not the shop's to keep:
    it goes to the shopper.
    """
    order = lock_order_of(attempt)
    if order is None:
        return
    with timeline.in_shop_language():
        timeline.note(order, "dispute_closed", _("The dispute ended: %s.") % _ending(dispute))
        left = refunds.refundable(attempt)
        is_over = order.status in (Order.Status.CANCELLED, Order.Status.EXPIRED)
        if is_over and dispute.status != Dispute.Status.LOST and left:
            reason = _("The dispute is over, and this order was cancelled.")
            key = f"{attempt.reference}:dispute-{dispute.pk}-{attempt.refunds.count()}"
            refunding.send_back(attempt, left, order, reason=reason, key=key)
            timeline.note(order, "refund_requested", reason)


def _ending(dispute: Dispute) -> str:
    return {
        Dispute.Status.WON: _("won, the money stays with the shop"),
        Dispute.Status.LOST: _("lost, the money stays with the shopper"),
    }.get(Dispute.Status(dispute.status), _("closed without a decision"))
