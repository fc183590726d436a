"""Small files that browsers look for at the root of the shop."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

HOUR = 60 * 60
DAY = 24 * HOUR
FOR_PEOPLE_ALONE = (
    *("account", "accounts", "cards", "cart", "checkout", "orders", "search", "wishlists"),
)
LISTINGS = ("categories", "collections", "sellers")
PAPER = "#faf8f4"
"""The ground of the pages; `theme-color` in `components/document_head.html` is the same."""


@require_safe
@cache_control(public=True, max_age=DAY)
def favicon(request: HttpRequest) -> HttpResponse:
    """Give the icon to those who ask for it by its oldest name; a PNG is welcome there, too."""
    icon = Path(str(finders.find("favicon/favicon-32.png")))
    return HttpResponse(icon.read_bytes(), content_type="image/png")


@require_safe
@cache_control(public=True, max_age=HOUR)
def robots(request: HttpRequest) -> HttpResponse:
    """Tell search engines what not to ask for, and where the list of all pages is.

    Of a listing they need its pages alone: what its filters make of it says "noindex", but there
    are more of these than anybody can read.
    """
    lines = ["User-agent: *", "Disallow: /admin/", "Disallow: /mailbox/"]
    for code, _name in settings.LANGUAGES:
        prefix = "" if code == settings.LANGUAGE_CODE else f"/{code}"
        lines += [f"Disallow: {prefix}/{place}/" for place in FOR_PEOPLE_ALONE]
        for place in LISTINGS:
            lines += [f"Disallow: {prefix}/{place}/*?", f"Allow: {prefix}/{place}/*?page="]
    lines += ["", f"Sitemap: {settings.SHOP_URL}{reverse('sitemap')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=DAY)
def manifest(request: HttpRequest) -> HttpResponse:
    """Say how the shop is called and looks when somebody puts it on the screen of their phone."""
    home = reverse("catalog:home")
    facts = {
        "id": home,
        "name": settings.SHOP_NAME,
        "short_name": settings.SHOP_NAME,
        "description": settings.SHOP_TAGLINE,
        "lang": settings.LANGUAGE_CODE,
        "start_url": home,
        "scope": home,
        "display": "minimal-ui",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": [
            {"src": static("favicon/favicon.svg"), "type": "image/svg+xml", "sizes": "any"},
            {
                "src": static("favicon/apple-touch-icon.png"),
                "type": "image/png",
                "sizes": "180x180",
            },
        ],
    }
    return JsonResponse(facts, content_type="application/manifest+json")
