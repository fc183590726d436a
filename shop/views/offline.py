"""The page for when the connection is gone, and the worker in the browser that keeps it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from shop.views.caching import public_page

TEMPLATE = "shop/offline.html"
FILES = (
    *("css/emporium.css", "fonts/hanken-grotesk.woff2", "fonts/newsreader-display.woff2"),
    "favicon/favicon.svg",
)
WORKER = "js/service-worker.js"
FAREWELL = "js/service-worker-farewell.js"
HOUR = 60 * 60


@public_page("pages")
def page(request: HttpRequest) -> HttpResponse:
    """Say that the connection is gone; browsers keep this page for when it is."""
    return render(request, TEMPLATE)


def worker_text(request: HttpRequest) -> str:
    """Write the worker's script: its source, with the list of what it keeps before it.

    The list names the files by their hash and sums up the page itself, so that each release that
    changes any of it is a new script, which browsers install in place of the old one.
    """
    if not settings.SHOP_OFFLINE_PAGE:
        return _source(FAREWELL)
    pages, said = {}, [_source(WORKER)]
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            prefix = "" if code == settings.LANGUAGE_CODE else code
            pages[prefix] = reverse("shop:offline")
            said.append(render_to_string(TEMPLATE, request=request))
    names = [*FILES, *filter(None, [settings.SHOP_LOGO])]
    kept = {
        "release": hashlib.sha256("".join(said).encode()).hexdigest()[:12],
        "pages": pages,
        "files": [static(name) for name in names],
    }
    return f"const KEPT = {json.dumps(kept)};\n\n{_source(WORKER)}"


def _etag(request: HttpRequest) -> str:
    return f'W/"{hashlib.sha256(worker_text(request).encode()).hexdigest()[:32]}"'


@require_safe
@cache_control(public=True, max_age=HOUR)
@condition(etag_func=_etag)
def worker(request: HttpRequest) -> HttpResponse:
    """Hand out the worker's script from the root, so that it may answer for every page.

    Browsers look for a newer one when a page is opened, but not more often than once an hour.
    """
    return HttpResponse(worker_text(request), content_type="text/javascript; charset=utf-8")


def _source(name: str) -> str:
    return Path(str(finders.find(name))).read_text("utf-8")
