"""The cards that the payment provider keeps for a person: seen, and removed one by one."""

from __future__ import annotations

import logging
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from payments.services import customers
from shop.errors import ShopError

logger = logging.getLogger(__name__)


@require_safe
@never_cache
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """List the person's own cards; where the provider is away, say so."""
    cards, is_away = [], False
    try:
        cards = customers.list_cards(cast(User, request.user))
    except ShopError as error:
        logger.warning("saved cards cannot be shown: %s", error)
        is_away = True
    return render(request, "payments/cards.html", {"cards": cards, "is_away": is_away})


@require_POST
@never_cache
@login_required
def remove(request: HttpRequest, card_id: str) -> HttpResponse:
    """Remove one of the person's own cards; anybody else's is not there."""
    try:
        is_gone = customers.remove_card(cast(User, request.user), card_id)
    except ShopError as error:
        logger.warning("a saved card could not be removed: %s", error)
        messages.error(request, _("The card could not be removed just now. Please try again."))
        return redirect("payments:cards")
    if not is_gone:
        raise Http404
    messages.success(request, _("The card is removed."))
    return redirect("payments:cards")
