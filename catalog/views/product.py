from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.queries import get_product_page
from catalog.queries.moved import find_moved_product
from shop.views.caching import public_page
from shop.views.moving import send_on


@public_page("attributes", "sellers")
def product(request: HttpRequest, slug: str) -> HttpResponse:
    page = get_product_page(slug, sku=request.GET.get("variant", ""))
    if page is None:
        if url := find_moved_product(slug):
            return send_on(request, url)
        raise Http404
    return render(request, "catalog/product.html", {"product": page})
