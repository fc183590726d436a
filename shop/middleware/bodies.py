"""No request is larger than what its page has a use for, whatever stands before the shop."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

IMPORTS = "/admin/catalog/importrun/"
WEBHOOKS = "/payments/webhooks/"
MEGABYTE = 1024 * 1024
LARGEST_WEBHOOK, LARGEST_IMPORT = MEGABYTE, 101 * MEGABYTE


def refuse_large_bodies(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 413 by what the head of a request says, before a byte of its body is read.

    The web server reads no further than Content-Length; a body without one is refused with 411.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        told = request.META.get("CONTENT_LENGTH") or "0"
        is_endless = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
        if is_endless and told == "0":
            return _refuse(request, 411)
        if not told.isdecimal() or int(told[:15]) > _get_most(request.path_info):
            return _refuse(request, 413)
        return get_response(request)

    return middleware


def _get_most(path: str) -> int:
    if path.startswith(WEBHOOKS):
        return LARGEST_WEBHOOK
    return LARGEST_IMPORT if path.startswith(IMPORTS) else settings.LARGEST_BODY_BYTES


def _refuse(request: HttpRequest, status: int) -> HttpResponse:
    response = render(request, "shop/too_large.html", {"status": status}, status=status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Connection"] = "close"
    setattr(response, "_has_been_logged", True)  # noqa: B010
    return response
