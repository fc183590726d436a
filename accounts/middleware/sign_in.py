"""Where a form about signing in may lead."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

NAMES = frozenset({"account_login", "account_signup", "socialaccount_connections"})


def may_go_elsewhere_to_sign_in(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let the pages with such buttons send the browser on to the other houses, and no other page.

    Browsers hold the redirect after a form to `form-action`, too (CSP Level 3, 6.4.2).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        found = request.resolver_match
        if found and (found.url_name in NAMES or "login" in (found.url_name or "")):
            response._csp_update = {"form-action": settings.SIGN_IN.origins}  # type: ignore[attr-defined]
        return response

    return middleware
