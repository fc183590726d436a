"""How a page that is the same for everybody may be kept by a shared cache."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, set_response_etag
from django.views.decorators.http import require_safe

View = TypeVar("View", bound=Callable[..., HttpResponse])

PUBLIC = "public, max-age=0, s-maxage=60, stale-while-revalidate=300"


def public_page(view: View) -> View:
    """Let shared caches keep the page for a minute, and answer 304 to those who have it already.

    The view must read neither cookie nor session: its bytes are anybody's.
    """

    @require_safe
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code != 200:
            return response
        response.headers["Cache-Control"] = PUBLIC
        set_response_etag(response)
        # Weak: the page is the same, but its bytes differ with how a browser wants it compressed.
        etag = response.headers["ETag"] = f"W/{response.headers['ETag']}"
        return get_conditional_response(request, etag=etag, response=response) or response

    return cast(View, wrapper)
