"""Tells sellers what runs low: one mail for all of it, and once until there is enough again."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from catalog.emails import ShelfFacts, in_language, tell_seller_of_low_stock
from catalog.models import StockLevel
from catalog.queries.stock import low_levels
from shop.clock import now
from shop.locking import retry_when_busy
from shop.services import mailer
from shop.transactions import no_transaction, own_transaction

SETTLED = timedelta(minutes=5)
"""So long a shelf must be low: what one sale after the other takes is one mail."""


@no_transaction
def tell() -> int:
    """Write to every seller whose shelves began to run low; return how many mails that were."""
    waiting = low_levels().filter(low_since__lt=now() - SETTLED, low_told_at=None)
    sellers = waiting.order_by("variant__product__seller").values_list(
        "variant__product__seller", flat=True
    )
    return sum(_tell_seller(seller_id) for seller_id in sellers.distinct())


@retry_when_busy
@own_transaction
def _tell_seller(seller_id: int) -> bool:
    """Mark a seller's low shelves as told and queue the mail. Locks the levels by primary key."""
    levels = list(
        low_levels()
        .filter(variant__product__seller=seller_id, low_since__isnull=False, low_told_at=None)
        .select_related("variant__product__seller")
        .order_by("pk")
        .select_for_update(of=["self"])
    )
    if not levels:
        return False
    at = now()
    StockLevel.objects.filter(pk__in=[level.pk for level in levels]).update(low_told_at=at)
    seller = levels[0].variant.product.seller
    levels.sort(key=lambda level: (level.left, level.variant.product.title))
    with in_language(""):
        mail = tell_seller_of_low_stock(
            seller.name,
            [
                ShelfFacts(
                    product=level.variant.product.title,
                    label=level.variant.label,
                    sku=level.variant.sku,
                    left=level.left,
                )
                for level in levels
            ],
            url=reverse("admin:catalog_stocklevel_changelist") + "?left=low",
        )
    mailer.queue_rendered(
        mail,
        kind="catalog.low_stock",
        reference=f"{seller.pk}:{at.isoformat()}",
        recipient=seller.email or settings.SHOP_EMAIL,
        language=settings.LANGUAGE_CODE,
    )
    return True
