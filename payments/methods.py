"""The ways to pay that this shop offers, as its settings say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils.timezone import localdate, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

STRIPE, PAYPAL, OFFLINE = "stripe", "paypal", "offline"
LATER = "later"
"""What `PAYMENT_CAPTURE` may be, beside "at_once"."""
TRANSFER, PICK_UP = "transfer", "pick-up"
"""What `SHOP_OFFLINE_PAYMENT` may be, beside "off"."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay: `code` names the gateway, the rest is what a shopper reads."""

    code: str
    label: str
    explanation: str

    def __str__(self) -> str:
        return self.label


def list_methods() -> tuple[Method, ...]:
    """Return what is offered, in the language of the moment; the first is the default."""
    offered = []
    if settings.STRIPE_SECRET_KEY:
        offered.append(STRIPE)
    if settings.PAYPAL_IS_ON:
        offered.append(PAYPAL)
    if settings.SHOP_OFFLINE_PAYMENT in (TRANSFER, PICK_UP):
        offered.append(OFFLINE)
    return tuple(Method(code, get_label(code), _explain(code)) for code in offered)


def get_label(code: str) -> str:
    """Name a way to pay, offered still or not."""
    if code == STRIPE:
        return _("Card or wallet")
    if code == PAYPAL:
        return "PayPal"
    return _("Pay on pick-up") if is_paid_on_pick_up() else _("Bank transfer")


def get_provider_name(provider: str) -> str:
    """Name who has the money, as staff call it."""
    return "Stripe" if provider == STRIPE else get_label(provider)


def is_paid_on_pick_up() -> bool:
    """Say whether what is paid without a provider is paid at the counter."""
    return bool(settings.SHOP_OFFLINE_PAYMENT == PICK_UP)


def is_captured_later(code: str) -> bool:
    """Say whether what is paid this way is only set aside at first; others cannot be."""
    return bool(code == STRIPE and settings.PAYMENT_CAPTURE == LATER)


def list_offline_details() -> list[str]:
    """Return the shop's own lines: the account to pay to, or where and when to fetch it."""
    lines = settings.SHOP_OFFLINE_DETAILS.split(";")
    return [line.strip() for line in lines if line.strip()]


def get_deadline(code: str, *, since: datetime) -> datetime:
    """Return until when an order of `since` is to be paid this way, and keeps its pieces.

    Without a provider that is the end of a day, in the shop's time zone.
    """
    if code != OFFLINE:
        return since + timedelta(minutes=settings.SHOP_PAYMENT_WINDOW_MINUTES)
    last_day = localdate(since) + timedelta(days=settings.SHOP_OFFLINE_DAYS)
    return make_aware(datetime.combine(last_day, time(23, 59)))


def _explain(code: str) -> str:
    if is_captured_later(code):
        return _(
            "On our payment provider's secure page. Charged when your order is ready to leave."
        )
    if code == STRIPE:
        return _("On the secure page of our payment provider. We never see your card.")
    if code == PAYPAL:
        return _("You agree to the payment at PayPal.")
    days = settings.SHOP_OFFLINE_DAYS
    if is_paid_on_pick_up():
        return ngettext(
            "You pay when you fetch it, within %(days)d day.",
            "You pay when you fetch it, within %(days)d days.",
            days,
        ) % {"days": days}
    return ngettext(
        "Our account is shown next. You have %(days)d day to pay.",
        "Our account is shown next. You have %(days)d days to pay.",
        days,
    ) % {"days": days}
