"""The only uncached bits of public pages: the badge and the drawer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cart import queries
from cart.sessions import find_cart


@require_safe
@never_cache
def badge(request: HttpRequest) -> HttpResponse:
    cart = find_cart(request)
    count = queries.count_pieces(cart.pk if cart else None)
    return render(request, "cart/_badge.html", {"count": count})


@require_safe
@never_cache
def drawer(request: HttpRequest) -> HttpResponse:
    cart = find_cart(request)
    view = queries.get_cart_view(cart.pk if cart else None)
    return render(request, "cart/_drawer.html", {"cart": view})
