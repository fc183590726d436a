from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.queries import get_category_page
from catalog.queries.moved import find_moved_category
from shop.views.caching import public_page
from shop.views.moving import send_on


@public_page("attributes", "sellers")
def category(request: HttpRequest, path: str) -> HttpResponse:
    page = get_category_page(path, query=dict(request.GET.lists()))
    if page is None:
        if url := find_moved_category(path):
            return send_on(request, url)
        raise Http404
    return render(request, "catalog/category.html", vars(page))
