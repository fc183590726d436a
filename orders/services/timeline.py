"""The order's timeline: every service that changes an order writes a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.models import Order, OrderEvent
from shop.transactions import inside_transaction

if TYPE_CHECKING:
    from accounts.models import User


@inside_transaction
def note(order: Order, kind: str, message: str, *, actor: User | None = None) -> None:
    """Write down what happened to an order, and who did it; None is the shop itself."""
    OrderEvent.objects.create(order=order, kind=kind, message=message[:300], actor=actor)
