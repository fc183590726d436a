"""How a page that is the same for everybody may be kept: by the shop itself, by a shared cache."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, overload

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, set_response_etag
from django.views.decorators.http import require_safe

from shop.notes import noting
from shop.page_cache.asking import Asking

View = TypeVar("View", bound=Callable[..., HttpResponse])

FRAME = frozenset({"pages", "categories", "collections"})
"""What the frame of every page shows: footer and menu."""


@overload
def public_page(view: View, /) -> View: ...
@overload
def public_page(*sources: str) -> Callable[[View], View]: ...
def public_page(*sources: Any) -> Any:
    """Let the page be kept until one of its sources changes, and answer 304 to who has it already.

    Sources are subjects of the journal, or `catalogue`, `sellers`, `words` for any product, seller
    or search column; those that the view's reads note (`shop.notes.read_from`) are added. Without
    any source only other caches keep the page, for `SHARED_CACHE_SECONDS`. The view must read
    neither cookie nor session: its bytes are anybody's.
    """
    if len(sources) == 1 and callable(sources[0]):
        return _make_public(sources[0], frozenset())
    return lambda view: _make_public(view, frozenset(sources))


def is_public(view: Callable[..., Any]) -> bool:
    return getattr(view, "is_public_page", False)


def _make_public(view: View, sources: frozenset[str]) -> View:
    @require_safe
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with noting() as notes:
            response = view(request, *args, **kwargs)
        if response.status_code != 200:
            if response.status_code == HTTPStatus.MOVED_PERMANENTLY:
                _tell_shared_caches(response)  # Browsers would keep it for ever, come what may.
            return response
        set_response_etag(response)
        # Weak: the page is the same, but its bytes differ with how a browser wants it compressed.
        etag = response.headers["ETag"] = f"W/{response.headers['ETag']}"
        asking = request.META.get(Asking.KEY)
        if asking and (sources or notes.sources):
            # It goes on whole, to be kept; the page cache answers 304 itself.
            asking.sources = FRAME | sources | notes.sources
            asking.visits = tuple(notes.visits)
        else:
            response = get_conditional_response(request, etag=etag, response=response) or response
        _tell_shared_caches(response)
        return response

    # mypy knows neither attributes of functions nor that `wraps` keeps the type.
    wrapper.is_public_page = True  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]


def _tell_shared_caches(response: HttpResponse) -> None:
    """Say how long others may show the page without asking.

    nginx keeps it as if it were old already (`@1` is a second of 1970), so it asks each time, is
    answered 304, and has something to show when the shop is away.
    """
    seconds = settings.SHARED_CACHE_SECONDS
    response.headers["X-Accel-Expires"] = str(seconds) if seconds > 1 else "@1"
    response.headers["Cache-Control"] = (
        f"public, max-age=0, s-maxage={seconds}, stale-while-revalidate={seconds}"
    )
