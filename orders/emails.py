"""How an order's mails read: a subject, a text and an HTML part, in the shopper's language."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from orders.access import order_url
from orders.models import Order
from orders.queries import get_order_view


@dataclass(frozen=True, slots=True)
class RenderedMail:
    subject: str
    text: str
    html: str


def render_order_mail(order: Order, kind: str) -> RenderedMail:
    """Render one of the templates in emails/orders/."""
    with translation.override(order.language):
        context = {
            "order": get_order_view(order),
            "order_url": order_url(order.number, language=order.language),
            "shop_name": settings.SHOP_NAME,
        }
        base = f"emails/orders/{kind}"
        return RenderedMail(
            subject=render_to_string(f"{base}.subject.txt", context).strip(),
            text=render_to_string(f"{base}.txt", context).strip() + "\n",
            html=render_to_string(f"{base}.html", context),
        )
