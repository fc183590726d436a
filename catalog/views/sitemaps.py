from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse

from catalog.queries.sitemaps import write_index, write_section
from shop.views.caching import public_page

SOURCES = ("catalogue", "sellers", "categories", "collections", "pages")
XML = "application/xml; charset=utf-8"


@public_page(*SOURCES)
def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse(write_index(), content_type=XML)


@public_page(*SOURCES)
def section(request: HttpRequest, name: str) -> HttpResponse:
    document = write_section(name)
    if document is None:
        raise Http404
    return HttpResponse(document, content_type=XML)
