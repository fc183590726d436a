"""Content pages: stored safe, shown as they are."""

from __future__ import annotations

from django.core.cache import cache
from django.db import transaction

from shop.models import Page
from shop.queries import FOOTER_CACHE_KEY
from shop.richtext import clean_html
from shop.transactions import inside_transaction


@inside_transaction
def save_page(page: Page) -> Page:
    """Store a page with only harmless HTML left in it, and let the footer find it."""
    page.body = clean_html(page.body)
    page.save()
    transaction.on_commit(lambda: cache.delete(FOOTER_CACHE_KEY))
    return page


@inside_transaction
def delete_pages(pages: list[Page]) -> None:
    """Delete pages, and let the footer forget them."""
    for page in pages:
        page.delete()
    transaction.on_commit(lambda: cache.delete(FOOTER_CACHE_KEY))
