from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe

from shop.models import Page
from shop.queries import find_moved_page
from shop.views.caching import public_page
from shop.views.moving import send_on


@public_page("pages")
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a content page; its body was made safe when it was saved."""
    page = Page.objects.filter(slug=slug).first()
    if page is None:
        if moved := find_moved_page(slug):
            return send_on(request, reverse("shop:page", args=[moved]))
        raise Http404
    return render(request, "shop/page.html", {"page": page, "body": mark_safe(page.body)})
