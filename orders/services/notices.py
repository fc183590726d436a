"""Mails about an order: decided in the transaction, written and sent by tasks."""

from __future__ import annotations

from typing import Literal

from orders.emails import render_order_mail
from orders.models import Order
from shop.services import mailer, outbox
from shop.transactions import inside_transaction, own_transaction

NoticeKind = Literal["confirmation", "shipped", "delivered", "cancelled", "refunded_late"]


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


@own_transaction
def write(order_id: int, *, kind: NoticeKind, about: str) -> None:
    """Render a notice in the shopper's language and queue it as a mail, once."""
    order = Order.objects.get(pk=order_id)
    mail = render_order_mail(order, kind)
    mailer.queue(
        kind=f"orders.{kind}",
        reference=f"{order.number}:{about}" if about else order.number,
        recipient=order.email,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        language=order.language,
    )
