"""How a request finds its wishlists: by the person who is signed in, else by the session."""

from __future__ import annotations

from django.http import HttpRequest

from catalog.models import Wishlist
from catalog.services.wishlists import MOST_LISTS, Holder

SESSION_KEY = "wishlists"


def find_holder(request: HttpRequest) -> Holder:
    """Name whose lists this visitor sees; never starts a session."""
    if request.user.is_authenticated:
        return Holder(user_id=request.user.pk)
    return Holder(user_id=None, list_ids=list_guest_lists(request))


def list_guest_lists(request: HttpRequest) -> list[int]:
    """Return the ids of lists that this browser made while nobody was signed in."""
    ids: list[int] = request.session.get(SESSION_KEY, [])
    return ids


def remember(request: HttpRequest, wishlist: Wishlist) -> None:
    """Let a guest's browser find the list again."""
    if wishlist.owner_id is None:
        known = [number for number in list_guest_lists(request) if number != wishlist.pk]
        request.session[SESSION_KEY] = [*known, wishlist.pk][-MOST_LISTS:]
