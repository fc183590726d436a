from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.queries.collections import get_collection_page
from catalog.queries.moved import find_moved_collection
from shop.views.caching import public_page
from shop.views.moving import send_on


@public_page("attributes", "sellers")
def collection(request: HttpRequest, slug: str) -> HttpResponse:
    page = get_collection_page(slug, query=dict(request.GET.lists()))
    if page is None:
        if url := find_moved_collection(slug):
            return send_on(request, url)
        raise Http404
    return render(request, "catalog/collection.html", vars(page))
