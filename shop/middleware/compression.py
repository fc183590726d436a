"""Text leaves compressed, in a way that lets nobody guess at secrets from its length."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import brotli
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.text import compress_string

SMALLEST = 1000
"""Fewer bytes fit into one packet anyway."""
TEXTS = frozenset(
    {
        *("text/html", "text/plain", "text/css", "text/javascript", "text/csv", "text/xml"),
        *("application/json", "application/manifest+json", "application/xml", "image/svg+xml"),
    }
)
BROTLI_QUALITY, GZIP_LEVEL = 3, 4
"""What a page's size is worth in CPU time: docs/performance.md has the figures."""
RANDOM_BYTES = 100


def compress_answers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Compress what browsers can read compressed; streams and small answers stay as they are.

    What is public has the same bytes for everybody, so its length tells nothing: brotli, else gzip.
    Whatever else may hold a secret beside text that a stranger chose. It is gzip with a few random
    bytes, which hide what such text changes in the length (the BREACH attack).
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code == 304:
            patch_vary_headers(response, ("Accept-Encoding",))
        if response.streaming or not _is_worth_it(response):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        accepted = read_accepted(request.headers.get("Accept-Encoding", ""))
        is_public = "public" in response.headers.get("Cache-Control", "")
        if is_public and "br" in accepted:
            encoding = "br"
            body = brotli.compress(response.content, quality=BROTLI_QUALITY)
        elif "gzip" in accepted:
            encoding = "gzip"
            if is_public:
                body = gzip.compress(response.content, GZIP_LEVEL, mtime=0)
            else:
                body = compress_string(response.content, max_random_bytes=RANDOM_BYTES)
        else:
            return response
        response.content = body
        response.headers["Content-Encoding"] = encoding
        response.headers["Content-Length"] = str(len(body))
        return response

    return middleware


def read_accepted(header: str) -> set[str]:
    """Return the encodings that a browser names in Accept-Encoding, less those it gives no weight.

    >>> sorted(read_accepted("gzip, br;q=0.9, zstd;q=0"))
    ['br', 'gzip']
    """
    accepted = set()
    for part in header.lower().split(","):
        name, _semicolon, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            accepted.add(name.strip())
    return accepted


def _is_worth_it(response: HttpResponse) -> bool:
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    return (
        media_type in TEXTS
        and len(response.content) >= SMALLEST
        and not response.has_header("Content-Encoding")
    )
