"""The catalogue for price comparisons, written while it is sent."""

from __future__ import annotations

import threading
import time
from weakref import WeakSet

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
_door = threading.Lock()


class Feed(StreamingHttpResponse):
    """The feed on its way to a reader, who counts from the request until the answer is closed."""

    under_way: WeakSet[Feed] = WeakSet()

    def __init__(self, *, is_gzip: bool) -> None:
        pieces = (piece.encode() for piece in write_feed())
        super().__init__(
            compress_sequence(pieces) if is_gzip else pieces,
            content_type=XML,
            headers={
                "Cache-Control": "public, max-age=3600",
                "Vary": "Accept-Encoding",
                # Too long to be kept by nginx.
                "X-Accel-Expires": "0",
                **({"Content-Encoding": "gzip"} if is_gzip else {}),
            },
        )
        self.started_at = time.monotonic()
        self.under_way.add(self)

    def close(self) -> None:
        with _door:
            self.under_way.discard(self)
        super().close()

    @classmethod
    def count_readers(cls) -> int:
        oldest = time.monotonic() - FORGOTTEN_AFTER
        return sum(each.started_at > oldest for each in cls.under_way)


@require_safe
def google(request: HttpRequest) -> HttpResponseBase:
    """Send the feed of Google's Merchant Center. It is long work, so few may ask at once."""
    if request.method == "HEAD":
        return HttpResponse(content_type=XML)
    is_gzip = "gzip" in read_accepted(request.headers.get("Accept-Encoding", ""))
    with _door:
        if Feed.count_readers() < MOST_AT_ONCE:
            return Feed(is_gzip=is_gzip)
    return HttpResponse(status=503, headers={"Retry-After": "60"})
