"""What a visitor sees who tried too often: how long to wait, and what they typed, still there."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop.limits import MINUTE, read_address
from shop.services import limits
from shop.services.limits import Verdict

NEVER_KEPT = re.compile(r"password|code|credential|csrf|secret|token|card|cvc|iban", re.IGNORECASE)
MOST_KEPT, LONGEST_KEPT = 60, 5_000


def ask(request: HttpRequest, action: str, *, weight: int = 1, **about: str) -> Verdict:
    """Count a visitor's try at an action of `shop.limits.ACTIONS`."""
    return limits.count(action, address=read_address(request.META), weight=weight, **about)


def limited(
    action: str,
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Let a view be asked so often by one address; stands before what keeps its pages."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            verdict = ask(request, action)
            return (
                view(request, *args, **kwargs) if verdict.is_allowed else refuse(request, verdict)
            )

        return wrapper

    return decorate


def refuse(request: HttpRequest, verdict: Verdict) -> HttpResponse:
    """Answer 429 with a page that says when to come back and offers the same again."""
    return mark(_render(request, verdict.retry_after), verdict)


def too_many(request: HttpRequest) -> HttpResponse:
    """Answer for allauth, whose limits are told nowhere when they end: most do within a minute."""
    verdict = Verdict(is_allowed=False, retry_after=MINUTE)
    return mark(_render(request, MINUTE), verdict)


def mark(response: HttpResponse, verdict: Verdict) -> HttpResponse:
    """Make an answer one to a try too many, which no cache keeps."""
    response.status_code = 429
    response.headers["Retry-After"] = str(verdict.retry_after)
    response.headers["Cache-Control"] = "no-store"
    # Meant, and no fault: Django would write a warning to the log for each try.
    setattr(response, "_has_been_logged", True)  # noqa: B010
    return response


def say_when(verdict: Verdict) -> str:
    """Return the sentence for a form's own errors."""
    minutes = -(-verdict.retry_after // MINUTE)
    if minutes <= 1:
        return _("That was often in a short time. Please try again in a minute.")
    if minutes < 120:
        return ngettext(
            "That was often in a short time. Please try again in %(count)d minute.",
            "That was often in a short time. Please try again in %(count)d minutes.",
            minutes,
        ) % {"count": minutes}
    return ngettext(
        "That was often in a short time. Please try again in %(count)d hour.",
        "That was often in a short time. Please try again in %(count)d hours.",
        -(-minutes // 60),
    ) % {"count": -(-minutes // 60)}


def _render(request: HttpRequest, retry_after: int) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(content_type="text/html; charset=utf-8")
    kept = [
        (name, value)
        for name, values in request.POST.lists()
        if not NEVER_KEPT.search(name)
        for value in values
        if len(value) <= LONGEST_KEPT
    ][:MOST_KEPT]
    facts = {
        "sentence": say_when(Verdict(is_allowed=False, retry_after=retry_after)),
        "is_form": request.method == "POST",
        "kept": kept,
        "again": request.get_full_path(),
    }
    return render(request, "429.html", facts)
