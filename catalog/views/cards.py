"""Cards of products that the asker names: a part that pages fetch for what was looked at before."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.queries.recent import list_recent_cards
from shop.notes import noting
from shop.views.caching import public_page


@public_page
def cards(request: HttpRequest) -> HttpResponse:
    """Show some products again.

    What it was read from is not noted: nearly everybody asks for others, so the shop's own cache
    would only fill up with them.
    """
    with noting():
        found = list_recent_cards(request.GET.get("ids", ""))
    return render(request, "catalog/_recent.html", {"cards": found})
