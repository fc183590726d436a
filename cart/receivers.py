"""News from below: somebody signed in, so the guest's cart becomes theirs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from cart.services import carts
from cart.sessions import SESSION_KEY


@receiver(user_logged_in)
def take_the_guest_cart_along(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Merge the cart of the session into the person's own."""
    guest_cart_id = request.session.get(SESSION_KEY)
    if guest_cart_id is not None:
        request.session[SESSION_KEY] = carts.merge_at_sign_in(
            guest_cart_id=guest_cart_id, user=user
        ).pk
