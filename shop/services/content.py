"""Content pages: stored safe, shown as they are."""

from __future__ import annotations

from shop.models import Page
from shop.richtext import clean_html
from shop.services.changes import announce
from shop.transactions import inside_transaction


@inside_transaction
def save_page(page: Page) -> Page:
    """Store a page with only harmless HTML left in it."""
    page.body = clean_html(page.body)
    page.save()
    announce("pages")
    return page


@inside_transaction
def delete_pages(pages: list[Page]) -> None:
    """Delete pages; the footer forgets them, too."""
    for page in pages:
        page.delete()
    announce("pages")
