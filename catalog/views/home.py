from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.queries import get_home_page
from shop.views.caching import public_page


@public_page("catalogue", "sellers")
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "catalog/home.html", vars(get_home_page()))
