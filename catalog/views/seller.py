from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.queries import get_seller_page
from catalog.queries.moved import find_moved_seller
from shop.views.caching import public_page
from shop.views.moving import send_on


@public_page("attributes", "sellers")
def seller(request: HttpRequest, slug: str) -> HttpResponse:
    page = get_seller_page(slug, query=dict(request.GET.lists()))
    if page is None:
        if url := find_moved_seller(slug):
            return send_on(request, url)
        raise Http404
    return render(request, "catalog/seller.html", vars(page))
