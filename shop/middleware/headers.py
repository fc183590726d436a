"""Headers that every answer carries: pages, files, redirects, and what a middleware refuses."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment")
)
"""What spies on people, or pays. A longer list costs each of a page's files what it costs the page,
over HTTP/1.1."""
NEEDLESS_FOR_WHAT_NEVER_CHANGES = ("Last-Modified", "X-Frame-Options")
"""Nobody asks whether it is new, and `frame-ancestors` says the same to every browser of today."""


def response_headers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Add what is missing, as the outermost of all: files and early refusals pass by here, too."""
    headers = {
        "Permissions-Policy": PERMISSIONS_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
    }
    if not settings.DEBUG:  # Django's page about an error has its style inside.
        headers["Content-Security-Policy"] = settings.FILE_CONTENT_SECURITY_POLICY

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if "immutable" in response.headers.get("Cache-Control", ""):
            for name in NEEDLESS_FOR_WHAT_NEVER_CHANGES:
                del response.headers[name]
        return response

    return middleware
