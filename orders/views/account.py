"""The account page: what a signed-in person has ordered, and what waits for them."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.queries import list_unproven_emails
from orders import queries
from orders.services import claiming
from shop.errors import ShopError


@require_safe
@never_cache
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """List the person's own orders, newest first, what waits for them, and offer to sign out."""
    assert request.user.pk is not None  # signed in
    context = {
        "orders": queries.list_orders_of(request.user.pk),
        "claimable": queries.list_claimable_orders(request.user.pk),
        "unproven": list_unproven_emails(request.user.pk),
        "to_review": queries.list_to_review(request.user.pk),
    }
    return render(request, "orders/account.html", context)


@require_POST
@never_cache
@login_required
def claim(request: HttpRequest) -> HttpResponse:
    """Attach the orders that the page listed, made as a guest with an address that is proven now."""
    numbers = request.POST.getlist("order")[: queries.MOST_CLAIMED]
    try:
        count = claiming.claim(cast(User, request.user), numbers)
    except ShopError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            ngettext(
                "%(count)d order is in your account now.",
                "%(count)d orders are in your account now.",
                count,
            )
            % {"count": count},
        )
    return redirect("orders:account")
