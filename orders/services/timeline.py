"""The order's timeline: every service that changes an order writes a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation

from orders.models import Order, OrderEvent
from shop.prepared import insert
from shop.transactions import inside_transaction

if TYPE_CHECKING:
    from accounts.models import User


def in_shop_language() -> translation.override:
    """Let what is written for staff be in the shop's language, whoever's click leads to it."""
    return translation.override(settings.LANGUAGE_CODE)


@inside_transaction
def note(order: Order, kind: str, message: str, *, actor: User | None = None) -> None:
    """Write down what happened to an order, and who did it; None is the shop itself."""
    insert(OrderEvent(order=order, kind=kind, message=message[:300], actor=actor))
