"""Reads of the ground floor: tax rates, content pages, the state of the outbox."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.cache import cache
from django.urls import reverse

from shop.models import Page, TaxRate
from shop.tax import Rate

FOOTER_CACHE_KEY = "shop:footer-pages"


def list_footer_pages() -> list[tuple[str, str]]:
    """List title and address of the footer's pages; kept in the cache for a minute."""
    rows = cache.get(FOOTER_CACHE_KEY)
    if rows is None:
        rows = list(Page.objects.filter(is_in_footer=True).values_list("title", "slug"))
        cache.set(FOOTER_CACHE_KEY, rows, 60)
    return [(title, reverse("shop:page", args=[slug])) for title, slug in rows]


def get_tax_rates(*, country: str, region: str = "") -> Mapping[int, Rate]:
    """Return the rate of each tax class, by its id, for goods that go to a place.

    A rate for the region wins over the country's. A class without a row is not taxed there.
    """
    rates: dict[int, Rate] = {}
    rows = TaxRate.objects.filter(country=country, region__in=["", region]).order_by("region")
    for tax_class_id, name, percent in rows.values_list("tax_class_id", "name", "percent"):
        rates[tax_class_id] = Rate(name, percent)
    return rates
