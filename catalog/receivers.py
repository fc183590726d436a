"""News from below: a maker has a new name; somebody signed in, asks for their data, or wants it gone."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.archive import Archive
from accounts.erasure import ErasureRun
from accounts.models import Seller
from accounts.person import Person
from accounts.signals import person_erasing, person_exporting, seller_renamed
from catalog.services import indexing, people, wishlists
from catalog.sessions import SESSION_KEY, list_guest_lists
from shop.errors import BusyError

logger = logging.getLogger(__name__)


@receiver(seller_renamed)
def have_products_found_by_the_new_name(sender: Any, seller: Seller, **kwargs: Any) -> None:
    """Products are found by their maker's name, too."""
    indexing.reindex_later(seller=seller.pk)


@receiver(user_logged_in)
def take_the_guest_lists_along(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Merge the guest's wishlists of the session into the person's own."""
    if not (list_ids := list_guest_lists(request)):
        return
    try:
        wishlists.merge_at_sign_in(list_ids=list_ids, user=user)
    except BusyError:  # They are signed in all the same; only the guest's lists stay behind.
        logger.warning("wishlists %s could not be merged: their rows stay locked", list_ids)
    else:
        del request.session[SESSION_KEY]


@receiver(person_exporting)
def tell_what_they_said_and_kept(
    sender: Any, person: Person, archive: Archive, **kwargs: Any
) -> None:
    people.export(person, archive)


@receiver(person_erasing)
def delete_what_they_said_and_kept(sender: Any, erasure: ErasureRun, **kwargs: Any) -> None:
    people.erase(erasure)
