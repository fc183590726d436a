"""A guard for the forms of cached pages, which cannot carry a CSRF token."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

View = TypeVar("View", bound=Callable[..., HttpResponse])

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def same_origin_required(view: View) -> View:
    """Refuse a change that another site sent; stands in for Django's CSRF token.

    The browser itself says where a request comes from: Sec-Fetch-Site, else Origin, else Referer.
    A request with none of them is let through: no browser of today leaves out all three on a form
    that another site posts, and the session cookie is SameSite=Lax, so such a post would arrive
    without the visitor's cart anyway.
    """

    @csrf_exempt
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in SAFE_METHODS and not comes_from_here(request):
            raise PermissionDenied(_("This form was sent from another site."))
        return view(request, *args, **kwargs)

    return cast(View, wrapper)


def comes_from_here(request: HttpRequest) -> bool:
    """Say whether no header tells that another site sent the request."""
    headers = request.headers
    if site := headers.get("Sec-Fetch-Site"):
        # "none" is the person's own doing, such as a bookmark; a page cannot bring it about.
        return site in ("same-origin", "none")
    for name in ("Origin", "Referer"):
        if name in headers:
            return _host_of(headers[name]) == request.get_host().lower()
    return True


def _host_of(address: str) -> str:
    """Return host and port of an address, "" for "null" and for what is none."""
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""
