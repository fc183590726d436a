"""Staff settle what was paid without a provider: the money has come, the refund was sent."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import timeline
from payments.methods import OFFLINE
from payments.models import PaymentAttempt, Refund
from payments.services import offline, refunds
from payments.services import settlement as payment_settlement
from shop.failpoints import failpoint
from shop.formatting import format_money
from shop.locking import retry_when_busy
from shop.money import Money
from shop.templatetags.dates import day
from shop.transactions import no_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User


@no_transaction
def book_receipt(
    order: Order, *, amount: Money, received_on: date, bank_reference: str, by: User
) -> bool:
    """Write down that money came for an order and settle it; say whether this call wrote it.

    All of it places the order, another amount is held, what comes too late goes back: as with any
    provider. Raises `ActionNotAllowed` when nothing of the order is paid without one.
    """
    attempt = find_receivable(order)
    if attempt is None:
        raise ActionNotAllowed(_("No transfer is expected for this order, or it came already."))
    is_new = _record_receipt(
        order.pk,
        attempt.pk,
        amount=amount,
        received_on=received_on,
        bank_reference=bank_reference,
        by=by,
    )
    failpoint("orders.offline.received")
    payment_settlement.settle(attempt.pk)
    return is_new


@no_transaction
def book_payout(refund: Refund, *, sent_on: date, bank_reference: str, by: User) -> bool:
    """Write down that a refund was sent and settle it; say whether this call wrote it."""
    is_new = _record_payout(refund.pk, sent_on=sent_on, bank_reference=bank_reference, by=by)
    failpoint("orders.offline.paid_out")
    refunds.check(refund.pk)
    return is_new


def find_receivable(order: Order) -> PaymentAttempt | None:
    """Find the attempt that money without a provider would pay: the one that waits, else the last.

    What was given up may still be paid, for a transfer takes its time.
    """
    attempts = PaymentAttempt.objects.filter(
        pk__in=order.payments.values("attempt_id"), provider=OFFLINE
    ).exclude(status__in=(PaymentAttempt.Status.CAPTURED, PaymentAttempt.Status.HELD))
    return max(attempts, key=lambda attempt: (attempt.is_open, attempt.pk), default=None)


@retry_when_busy
@own_transaction
def _record_receipt(
    order_id: int,
    attempt_id: int,
    *,
    amount: Money,
    received_on: date,
    bank_reference: str,
    by: User,
) -> bool:
    """Locks the attempt."""
    is_new = offline.record_receipt(
        attempt_id,
        amount=amount,
        received_on=received_on,
        bank_reference=bank_reference,
        by=by,
    )
    if is_new:
        with timeline.in_shop_language():
            came = _("Money came: %(amount)s on %(day)s. %(reference)s") % {
                "amount": format_money(amount), "day": day(received_on),
                "reference": bank_reference,
            }  # fmt: skip
            timeline.note(Order.objects.get(pk=order_id), "money_came", came.strip(), actor=by)
    return is_new


@retry_when_busy
@own_transaction
def _record_payout(refund_id: int, *, sent_on: date, bank_reference: str, by: User) -> bool:
    """Locks the attempt, then the refund."""
    is_new = offline.record_payout(refund_id, sent_on=sent_on, bank_reference=bank_reference, by=by)
    if is_new:
        refund = Refund.objects.get(pk=refund_id)
        order = Order.objects.get(payments__attempt_id=refund.attempt_id)
        with timeline.in_shop_language():
            sent = _("Money was sent back: %(amount)s on %(day)s. %(reference)s") % {
                "amount": format_money(refund.money), "day": day(sent_on),
                "reference": bank_reference,
            }  # fmt: skip
            timeline.note(order, "money_sent", sent.strip(), actor=by)
    return is_new
