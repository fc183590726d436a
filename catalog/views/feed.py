"""The catalogue for price comparisons, written while it is sent."""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.text import compress_sequence
from django.views.decorators.http import require_safe

from catalog.queries.feed import write_feed
from shop.middleware.compression import read_accepted

XML = "application/xml; charset=utf-8"
MOST_AT_ONCE = 2
FORGOTTEN_AFTER = 600.0
"""Seconds after which a reader who is still there does not keep others away any more."""
_running: list[float] = []


@require_safe
def google(request: HttpRequest) -> HttpResponseBase:
    """Send the feed of Google's Merchant Center. It is long work, so few may ask at once."""
    if request.method == "HEAD":
        return HttpResponse(content_type=XML)
    started = [at for at in _running if time.monotonic() - at < FORGOTTEN_AFTER]
    if len(started) >= MOST_AT_ONCE:
        return HttpResponse(status=503, headers={"Retry-After": "60"})
    pieces: Iterator[bytes] = (piece.encode() for piece in _counted(write_feed()))
    is_gzip = "gzip" in read_accepted(request.headers.get("Accept-Encoding", ""))
    response = StreamingHttpResponse(
        compress_sequence(pieces) if is_gzip else pieces,
        content_type=XML,
        headers={
            "Cache-Control": "public, max-age=3600",
            "Vary": "Accept-Encoding",
            # Too long to be kept by nginx.
            "X-Accel-Expires": "0",
        },
    )
    if is_gzip:
        response.headers["Content-Encoding"] = "gzip"
    return response


def _counted(pieces: Iterator[str]) -> Iterator[str]:
    started_at = time.monotonic()
    _running.append(started_at)
    try:
        yield from pieces
    finally:
        _running.remove(started_at)
