from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import mark_safe

from shop.models import Page
from shop.views.caching import public_page


@public_page("pages")
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a content page; its body was made safe when it was saved."""
    page = get_object_or_404(Page, slug=slug)
    return render(request, "shop/page.html", {"page": page, "body": mark_safe(page.body)})
