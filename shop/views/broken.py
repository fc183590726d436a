"""The page for what went wrong on our side; it asks neither database nor cache."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.defaults import server_error

TRY_AGAIN_SECONDS = 5
AWAY = ("08", "53", "57P")
"""PostgreSQL's classes of errors: no connection, out of room or connections, shut down."""
TOO_SLOW = ("57014", "55P03")
"""The statement ran longer than WEB_STATEMENT_TIMEOUT_MS, or waited longer for a lock."""


def broken(request: HttpRequest) -> HttpResponse:
    """Answer for an exception: 503 while the database is away, which passes; else 500."""
    error = sys.exc_info()[1]
    if _is_too_slow(error):
        template = "too_slow.html"
    elif _is_database_away(error):
        template = "503.html"
    else:
        return server_error(request)
    response = render(request, template, status=503)
    response.headers["Retry-After"] = str(TRY_AGAIN_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_too_slow(error: BaseException | None) -> bool:
    cause = error.__cause__ if isinstance(error, OperationalError) else None
    return getattr(cause, "sqlstate", None) in TOO_SLOW


def _is_database_away(error: BaseException | None) -> bool:
    """Say whether the server could not be reached or broke off, and not what it refused to do."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(AWAY)
