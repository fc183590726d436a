"""The demo shop's ground: tax rates of the European Union, and content pages."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from shop.models import Page, TaxClass, TaxRate
from shop.services import content
from shop.transactions import own_transaction

# Standard rates of value added tax in force in January 2026, in percent.
STANDARD_RATES = {
    "AT": "20", "BE": "21", "BG": "20", "CY": "19", "CZ": "21", "DE": "19", "DK": "25",
    "EE": "24", "ES": "21", "FI": "25.5", "FR": "20", "GR": "24", "HR": "25", "HU": "27",
    "IE": "23", "IT": "22", "LT": "21", "LU": "17", "LV": "21", "MT": "18", "NL": "21",
    "PL": "23", "PT": "23", "RO": "21", "SE": "25", "SI": "22", "SK": "23",
}  # fmt: skip

PAGES = {
    "delivery": "Delivery",
    "returns": "Returns",
    "about": "About us",
    "imprint": "Imprint",
    "privacy": "Privacy",
}
PAGES_FOLDER = Path(__file__).with_name("demo_pages")


@own_transaction
def add_tax_rates() -> None:
    """Add the tax class and the rates that are missing; what somebody changed stays."""
    standard, _is_new = TaxClass.objects.get_or_create(
        code="standard", defaults={"name": "Standard"}
    )
    known = set(TaxRate.objects.filter(tax_class=standard).values_list("country", flat=True))
    TaxRate.objects.bulk_create(
        TaxRate(tax_class=standard, country=country, percent=Decimal(percent))
        for country, percent in STANDARD_RATES.items()
        if country not in known
    )


@own_transaction
def add_pages() -> None:
    """Add the content pages that are missing; what somebody changed stays."""
    known = set(Page.objects.filter(slug__in=PAGES).values_list("slug", flat=True))
    for position, (slug, title) in enumerate(PAGES.items()):
        if slug not in known:
            body = (PAGES_FOLDER / f"{slug}.html").read_text("utf-8")
            content.save_page(Page(slug=slug, title=title, body=body, position=position))
