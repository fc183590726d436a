"""What the shop leaves in a browser, and what it thinks of tracking."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.cookies import Place, list_traces
from shop.views.caching import public_page

SINCE = "2026-11-22"


@public_page("pages")
def overview(request: HttpRequest) -> HttpResponse:
    """List every cookie with its purpose and life; the same for everybody, and without one."""
    traces = list_traces()
    context = {
        "cookies": [each for each in traces if each.place == Place.COOKIE],
        "memories": [each for each in traces if each.place == Place.BROWSER],
    }
    return render(request, "accounts/cookies.html", context)


@require_safe
@cache_control(public=True, max_age=86_400)
def global_privacy_control(request: HttpRequest) -> HttpResponse:
    """Say that the shop honours Global Privacy Control (its specification, section 4).

    Nothing changes by the signal, since nothing is sold or shared without it either.
    """
    return JsonResponse({"gpc": True, "lastUpdate": SINCE})
