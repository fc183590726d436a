"""The shop as a shopper sees it, for somebody from support: to look at, with a bar that says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve

from accounts import sessions

SAFE = ("GET", "HEAD", "OPTIONS")
# Routes behind an optional language: signing in and all that secures an account, cards, what people
# may take out of the shop or wipe out, and the way to paying. Nothing at all is sent from any page.
CLOSED = re.compile(
    r"([a-z]{2}(-[a-z]+)?/)?"
    r"(accounts/|account/(cards|privacy|export|erase|data)|checkout/|orders/[^/]+/(returned|pay)/)"
)
ADMIN = re.compile(r"admin/")
BODY = re.compile(rb"<body[^>]*>")


def look_as_shopper(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Swap the person of the request, never the session; the admin stays one's own."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if sessions.cookie_name() not in request.COOKIES:
            return get_response(request)
        route = _find_route(request)
        if ADMIN.match(route):
            return get_response(request)
        looking = sessions.find(request)
        if looking is None:
            response = get_response(request)
            sessions.end(request, response)
            return response
        if request.method not in SAFE or CLOSED.match(route):
            answer = render(request, "account/only_looking.html", status=403)
            return _add_bar(request, answer, looking)
        myself: Any = request.user
        request.user = looking.person
        # What a browser kept from before was made for other eyes.
        for name in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"):
            request.META.pop(name, None)
        try:
            response = get_response(request)
        finally:
            request.user = myself
        return _add_bar(request, response, looking)

    return middleware


def _find_route(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).route
    except Resolver404:
        return ""


def _add_bar(
    request: HttpRequest, response: HttpResponse, looking: sessions.Looking
) -> HttpResponse:
    """Put the bar on top of whole pages, and keep every answer out of every cache."""
    response.headers["Cache-Control"] = "private, no-store"
    for name in ("ETag", "Last-Modified"):
        if name in response.headers:
            del response.headers[name]
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    if is_page and not response.streaming:
        bar = render_to_string("components/looking.html", {"looking": looking}, request)
        response.content = BODY.sub(lambda body: body[0] + bar.encode(), response.content, count=1)
    return response
