"""The account page: what a signed-in person has ordered."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orders import queries


@require_safe
@never_cache
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """List the person's own orders, newest first, and offer to sign out."""
    assert request.user.pk is not None  # signed in
    orders = queries.list_orders_of(request.user.pk)
    return render(request, "orders/account.html", {"orders": orders})
