"""Shelves that run low: few enough pieces that the seller should know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import F, IntegerField, QuerySet, Value
from django.db.models.functions import Coalesce

from catalog.models import StockLevel


def low_levels() -> QuerySet[Any]:
    """Return the shelves of what is on sale that have their threshold or fewer `left` to sell."""
    return only_low(StockLevel.objects.all())


def only_low(levels: QuerySet[Any]) -> QuerySet[Any]:
    """Narrow shelves to those of `low_levels`."""
    shop_default = Value(settings.SHOP_LOW_STOCK, output_field=IntegerField())
    low: QuerySet[Any] = levels.annotate(
        left=F("on_hand") - F("allocated"),
        low_at=Coalesce(F("variant__low_stock_at"), shop_default),
    ).filter(
        left__lte=F("low_at"),
        variant__is_active=True,
        variant__tracks_stock=True,
        variant__product__status="active",
    )
    return low
