"""Watches how many payments are declined: whoever tries stolen cards is declined most of the time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q

from payments.emails import tell_of_declines
from payments.models import ProviderEvent
from shop.clock import now
from shop.services import mailer
from shop.transactions import own_transaction

logger = logging.getLogger(__name__)

LOOKED_AT = timedelta(hours=1)
ALARM_SECONDS = 30 * 60
ALARM = "kept:payments.declines"
DECLINED = ("payment_intent.payment_failed", "PAYMENT.CAPTURE.DECLINED", "PAYMENT.CAPTURE.DENIED")
PAID = (
    *("payment_intent.succeeded", "payment_intent.amount_capturable_updated"),
    "PAYMENT.CAPTURE.COMPLETED",
)


@dataclass(frozen=True, slots=True)
class Declines:
    """What providers told within the last hour."""

    declined: int
    paid: int

    @property
    def percent(self) -> int:
        return self.declined * 100 // max(1, self.declined + self.paid)

    @property
    def is_alarming(self) -> bool:
        return (
            self.declined >= settings.DECLINE_ALARM_LEAST
            and self.percent >= settings.DECLINE_ALARM_PERCENT
        )


def count() -> Declines:
    """Count what providers told of declined and successful payments within the last hour."""
    lately = ProviderEvent.objects.filter(received_at__gt=now() - LOOKED_AT)
    found = lately.aggregate(
        declined=Count("pk", filter=Q(type__in=DECLINED)), paid=Count("pk", filter=Q(type__in=PAID))
    )
    return Declines(**found)


@own_transaction
def watch() -> Declines:
    """Sound the alarm, and tell the shop by mail once an hour, while too many are declined."""
    counted = count()
    if not counted.is_alarming:
        return counted
    logger.error(
        "%d payments were declined within an hour, %d went through: somebody may try stolen cards",
        counted.declined,
        counted.paid,
    )
    cache.set(ALARM, True, ALARM_SECONDS)
    mailer.queue_rendered(
        tell_of_declines(declined=counted.declined, paid=counted.paid),
        kind="payments.declines",
        reference=f"{now():%Y-%m-%dT%H}",
        recipient=settings.SHOP_EMAIL,
        language=settings.LANGUAGE_CODE,
    )
    return counted


def is_alarming() -> bool:
    """Say whether the alarm was sounded within the last half hour."""
    return bool(cache.get(ALARM))
