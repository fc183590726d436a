"""How a page that has moved sends its visitors on."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponsePermanentRedirect


def send_on(request: HttpRequest, url: str) -> HttpResponsePermanentRedirect:
    """Send to where the page is now, for good; what stood behind the question mark goes along."""
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"{url}?{query}" if query else url)
