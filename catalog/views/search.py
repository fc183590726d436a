from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.queries import get_search_page
from shop.views.caching import public_page


@public_page
def search(request: HttpRequest) -> HttpResponse:
    page = get_search_page(dict(request.GET.lists()))
    if page is None:
        raise Http404
    return render(request, "catalog/search.html", vars(page))
