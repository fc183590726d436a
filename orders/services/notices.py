"""Mails about an order: decided in the transaction, written and sent by tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from orders.emails import NoticeKind, render_order_mail
from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import timeline
from payments.models import Refund
from shop.clock import now
from shop.failpoints import failpoint
from shop.locking import retry_when_busy
from shop.services import mailer, outbox
from shop.transactions import inside_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User

SENT_AGAIN_AFTER = timedelta(minutes=1)


@inside_transaction
def enqueue(order: Order, kind: NoticeKind, *, about: str = "") -> None:
    """Decide to tell the shopper; `about` tells notices of one kind apart, such as parcels."""
    outbox.enqueue(
        "orders.send_notice",
        key=f"notice:{order.pk}:{kind}:{about}",
        order_id=order.pk,
        kind=kind,
        about=about,
    )


@retry_when_busy
@own_transaction
def send_confirmation_again(order: Order, *, by: User | None) -> bool:
    """Tell the shopper once more that the order is placed; say whether this call did it.

    Twice within a minute counts as once. Locks the order. Raises `ActionNotAllowed` for an order
    that was never paid or does not stand any more.
    """
    order = Order.objects.select_for_update().get(pk=order.pk)
    if order.status not in (Order.Status.PLACED, Order.Status.COMPLETED):
        raise ActionNotAllowed(_("Only a paid order that was not cancelled can be confirmed."))
    if order.events.filter(
        kind="confirmation_again", created_at__gt=now() - SENT_AGAIN_AFTER
    ).exists():
        return False
    with timeline.in_shop_language():
        timeline.note(order, "confirmation_again", _("Confirmation sent again."), actor=by)
    kind: NoticeKind = "authorised" if order.is_uncharged else "confirmation"
    enqueue(order, kind, about=f"again-{now():%Y%m%d%H%M%S}")
    return True


@own_transaction
def write(order_id: int, *, kind: NoticeKind, about: str) -> None:
    """Render a notice in the shopper's language and queue it as a mail, once.

    How to pay is told to nobody whose order does not wait for it any more, and a refund that failed
    meanwhile is not told of, nor that money is set aside once that is over. An erased person is told
    nothing more.
    """
    order = Order.objects.get(pk=order_id)
    if not order.email:
        return
    if kind == "payment_waiting" and order.status != Order.Status.PENDING:
        return
    if kind == "authorised" and order.status == Order.Status.CANCELLED:
        return
    if kind == "refunded" and not order.refunds.filter(pk=about, failed_at=None).exists():
        return
    if (
        kind == "money_sent"
        and not Refund.objects.filter(pk=about, status=Refund.Status.SUCCEEDED).exists()
    ):
        return
    mail = render_order_mail(order, kind, about=about)
    mailer.queue_rendered(
        mail,
        kind=f"orders.{kind}",
        reference=f"{order.number}:{about}" if about else order.number,
        recipient=order.email,
        language=order.language,
    )
    failpoint("orders.notices.written")
