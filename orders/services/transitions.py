"""The one place where an order's status changes; the table of allowed changes is the model's."""

from __future__ import annotations

from orders.errors import ActionNotAllowed
from orders.models import Order
from shop.clock import now
from shop.prepared import update
from shop.transactions import inside_transaction

Status = Order.Status
PaymentStatus = Order.PaymentStatus


@inside_transaction
def place(order: Order) -> None:
    """Make a locked order a paid one, whether it waited or had expired."""
    _change(order, Status.PLACED)
    order.payment_status = PaymentStatus.PAID
    order.paid_at = now()
    order.closed_at = None
    update(order, "status", "payment_status", "paid_at", "closed_at")


@inside_transaction
def authorise(order: Order) -> None:
    """Place a locked order whose money is only set aside, whether it waited or had expired."""
    _change(order, Status.PLACED)
    order.payment_status = PaymentStatus.AUTHORIZED
    order.closed_at = None
    order.save(update_fields=["status", "payment_status", "closed_at"])


@inside_transaction
def pay(order: Order) -> None:
    """Make a locked order that was placed unpaid a paid one."""
    if not order.is_uncharged:
        raise ActionNotAllowed(f"{order.number}: {order.payment_status} does not become paid")
    order.payment_status = PaymentStatus.PAID
    order.paid_at = now()
    order.save(update_fields=["payment_status", "paid_at"])


@inside_transaction
def complete(order: Order) -> None:
    """Make a locked order a delivered one."""
    _change(order, Status.COMPLETED)
    order.save(update_fields=["status"])


@inside_transaction
def cancel(order: Order) -> None:
    """Close a locked order for good; what was paid stays written until it is sent back."""
    _close(order, Status.CANCELLED)


@inside_transaction
def expire(order: Order) -> None:
    """Close a locked order that was not paid in time; late money may still revive it."""
    _close(order, Status.EXPIRED)


def _close(order: Order, status: Order.Status) -> None:
    was_unpaid = order.status == Status.PENDING or order.is_uncharged
    _change(order, status)
    if was_unpaid:
        order.payment_status = PaymentStatus.VOIDED
    order.closed_at = now()
    order.save(update_fields=["status", "payment_status", "closed_at"])


def _change(order: Order, status: Order.Status) -> None:
    """Raise `ActionNotAllowed` for a change that the table does not list."""
    if not order.can_become(status):
        raise ActionNotAllowed(f"{order.number}: {order.status} does not become {status}")
    order.status = status
