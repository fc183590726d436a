"""News from below: somebody signed in, asks for their data, or wants it gone."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.archive import Archive
from accounts.erasure import ErasureRun
from accounts.person import Person
from accounts.signals import person_erasing, person_exporting, person_leaving
from cart.services import carts, people
from cart.sessions import SESSION_KEY, name_device, remember
from shop.errors import BusyError

logger = logging.getLogger(__name__)


@receiver(user_logged_in)
def take_the_guest_cart_along(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Merge the cart of the session into the person's own."""
    guest_cart_id = request.session.get(SESSION_KEY)
    if guest_cart_id is None:
        return
    try:
        cart = carts.merge_at_sign_in(
            guest_cart_id=guest_cart_id, user=user, device=name_device(request)
        )
        remember(request, cart)
    except BusyError:  # They are signed in all the same; only the guest's cart stays behind.
        logger.warning("cart %s could not be merged: its rows stay locked", guest_cart_id)


@receiver(person_exporting)
def tell_what_is_in_the_carts(sender: Any, person: Person, archive: Archive, **kwargs: Any) -> None:
    people.export(person, archive)


@receiver(person_leaving)
def hold_the_cart(sender: Any, erasure: ErasureRun, **kwargs: Any) -> None:
    people.lock(erasure)


@receiver(person_erasing)
def delete_the_carts(sender: Any, erasure: ErasureRun, **kwargs: Any) -> None:
    people.erase(erasure)
