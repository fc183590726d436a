from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.queries import get_search_page, get_suggestions
from shop import notes
from shop.views.caching import public_page
from shop.views.limited import limited

SOURCES = ("catalogue", "words", "synonyms", "attributes", "sellers")


@limited("search")
@public_page(*SOURCES)
def search(request: HttpRequest) -> HttpResponse:
    page = get_search_page(dict(request.GET.lists()))
    if page is None:
        raise Http404
    if page.counts:
        notes.count("search", page.query, page.total)
    return render(request, "catalog/search.html", vars(page))


@limited("suggestions")
@public_page(*SOURCES)
def suggestions(request: HttpRequest) -> HttpResponse:
    """Offer what fits the start of a search: a part that the search fields fetch."""
    offered = get_suggestions(request.GET.get("q", ""))
    return render(request, "components/suggestions.html", {"suggestions": offered})
