"""The style guide: tokens and components in all their states, in trial mode only."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shop import styleguide as samples


@require_safe
@never_cache
def styleguide(request: HttpRequest) -> HttpResponse:
    tokens = {
        "colours": samples.list_colours(),
        "type_steps": samples.list_steps("text-"),
        "space_steps": samples.list_steps("space-"),
        "icons": samples.ICONS,
    }
    return render(request, "shop/styleguide.html", tokens | samples.list_samples())
