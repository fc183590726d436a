"""News from below."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.models import Seller
from accounts.signals import seller_renamed
from catalog.services import indexing


@receiver(seller_renamed)
def have_products_found_by_the_new_name(sender: Any, seller: Seller, **kwargs: Any) -> None:
    """Products are found by their maker's name, too."""
    indexing.reindex_later(seller=seller.pk)
