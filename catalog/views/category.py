from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.queries import get_category_page
from shop.views.caching import public_page


@public_page("attributes", "sellers")
def category(request: HttpRequest, path: str) -> HttpResponse:
    page = get_category_page(path, query=dict(request.GET.lists()))
    if page is None:
        raise Http404
    return render(request, "catalog/category.html", vars(page) | vars(page.listing))
