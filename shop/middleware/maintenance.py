"""While the shop is closed for maintenance, shoppers are told so; what must go on goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language

from shop import clock, maintenance
from shop.maintenance import Notice

ALWAYS_OPEN = (
    *("livez", "readyz", "metrics"),
    "payments/webhooks/",
    *("admin/", "media/", "mailbox/"),
    *("favicon.ico", "site.webmanifest", "service-worker.js"),
)
OPEN_IN_EVERY_LANGUAGE = ("accounts/", "offline/")
"""The admin has no sign-in page of its own."""
CLOSED_ALL_THE_SAME = ("accounts/signup/",)


def close_for_maintenance(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 503 to shoppers while `manage.py maintenance` says so.

    Payments that are under way arrive by webhook, operators ask how the shop is doing, and staff
    see all of it, so that they can try it out before they open it again.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        notice = maintenance.get_notice()
        if notice is None or _is_always_open(request.path_info):
            return get_response(request)
        if _is_staff(request):
            response = get_response(request)
            # Their pages must not find their way to shoppers through a shared cache.
            response.headers["Cache-Control"] = "private, no-store"
            return response
        return _refuse(request, notice)

    return middleware


def _refuse(request: HttpRequest, notice: Notice) -> HttpResponse:
    """Answer with the page of a closed shop, which asks neither database nor cache."""
    now = clock.now()
    facts = {
        "message": notice.message(get_language() or ""),
        "ends_at": notice.get_end(now=now),
        "again": request.get_full_path() if request.method == "GET" else reverse("catalog:home"),
    }
    response = render(request, "shop/maintenance.html", facts, status=503)
    response.headers["Retry-After"] = str(notice.count_seconds_left(now=now))
    response.headers["Cache-Control"] = "no-store"
    # Meant, and no fault: Django would write an error to the log for each visitor.
    setattr(response, "_has_been_logged", True)  # noqa: B010
    return response


def _is_always_open(path: str) -> bool:
    path = path.removeprefix("/")
    if path.startswith(ALWAYS_OPEN):
        return True
    language = get_language()
    if language != settings.LANGUAGE_CODE:
        path = path.removeprefix(f"{language}/")
    return path.startswith(OPEN_IN_EVERY_LANGUAGE) and not path.startswith(CLOSED_ALL_THE_SAME)


def _is_staff(request: HttpRequest) -> bool:
    """Say whether somebody of the shop is asking; nobody is while the database is away."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    with suppress(DatabaseError):
        return bool(request.user.is_authenticated and request.user.is_staff)
    return False
