from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.queries import get_seller_page
from shop.views.caching import public_page


@public_page("attributes", "sellers")
def seller(request: HttpRequest, slug: str) -> HttpResponse:
    page = get_seller_page(slug, query=dict(request.GET.lists()))
    if page is None:
        raise Http404
    return render(request, "catalog/seller.html", vars(page) | vars(page.listing))
