"""Content pages: stored safe, shown as they are."""

from __future__ import annotations

from shop.models import FormerAddress, Page
from shop.richtext import clean_html
from shop.services.addresses import remember
from shop.services.changes import announce
from shop.transactions import inside_transaction


@inside_transaction
def save_page(page: Page) -> Page:
    """Store a page with only harmless HTML left in it; its old address leads to a new one."""
    page.body = clean_html(page.body)
    before = Page.objects.filter(pk=page.pk).values_list("slug", flat=True).first()
    page.save()
    remember(FormerAddress.Kind.PAGE, [(page.pk, before or "", page.slug)])
    announce("pages")
    return page


@inside_transaction
def delete_pages(pages: list[Page]) -> None:
    """Delete pages; the footer forgets them, too."""
    for page in pages:
        page.delete()
    announce("pages")
