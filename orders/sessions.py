"""What a visitor's session remembers of orders: which may be seen, and a half-typed checkout."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from orders.models import Order

GRANTS = "orders"
DRAFT = "checkout"
MOST_GRANTS = 50
DRAFT_FIELDS = (
    "email", "country", "name", "street", "postcode", "city", "region", "phone", "shipping_method",
    "payment_method", "deliver_to", "billing",
)  # fmt: skip


def grant(request: HttpRequest, number: str) -> None:
    """Let this browser see an order."""
    granted = [other for other in request.session.get(GRANTS, []) if other != number]
    request.session[GRANTS] = [*granted, number][-MOST_GRANTS:]


def may_see(request: HttpRequest, order: Order) -> bool:
    """Say whether the order is this person's, or this browser was let in by a link or purchase.

    What is kept of an erased person's order is kept for the books, and shown to nobody here.
    """
    if order.erased_at or order.forgotten_at:
        return False
    if request.user.is_authenticated and order.user_id == request.user.pk:
        return True
    return order.number in request.session.get(GRANTS, [])


def find_waiting(request: HttpRequest) -> Order | None:
    """Find the newest order of this browser that still waits for its payment."""
    granted = request.session.get(GRANTS, [])
    waiting = Order.objects.filter(number__in=granted, status=Order.Status.PENDING)
    return waiting.order_by("-pk").first()


def keep_draft(request: HttpRequest) -> None:
    """Keep what was typed, so that a detour loses nothing."""
    draft = {name: request.POST[name][:300] for name in DRAFT_FIELDS if name in request.POST}
    if draft != request.session.get(DRAFT):
        request.session[DRAFT] = draft


def forget_draft(request: HttpRequest) -> None:
    """Forget what was typed, once it is in an order."""
    request.session.pop(DRAFT, None)


def bring_draft_back(request: HttpRequest, order: Order) -> None:
    """Fill the checkout in again for somebody who gave an order up."""
    address = order.addresses.get(kind="shipping")
    typed = {"email": order.email, "shipping_method": order.shipping_method}
    typed |= {name: getattr(address, name) for name in DRAFT_FIELDS if hasattr(address, name)}
    request.session[DRAFT] = typed


def read_draft(request: HttpRequest) -> dict[str, Any]:
    draft: dict[str, Any] = request.session.get(DRAFT, {})
    return draft
