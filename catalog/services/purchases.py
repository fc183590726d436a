"""Who bought what, as the floor above tells when an order is paid: the mark of verified buyers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from catalog.models import Purchase, Review
from shop.services.changes import announce
from shop.transactions import inside_transaction


@inside_transaction
def record(
    product_ids: Collection[int],
    *,
    order_number: str,
    user_id: int | None,
    email: str,
    bought_at: datetime,
) -> None:
    """Note that these products were bought; telling the same order twice changes nothing.

    What the buyer wrote of them before counts as a verified buyer's from now on.
    """
    email = email.lower()
    Purchase.objects.bulk_create(
        [
            Purchase(
                product_id=product_id,
                order_number=order_number,
                user_id=user_id,
                email=email,
                bought_at=bought_at,
            )
            for product_id in product_ids
        ],
        ignore_conflicts=True,
    )
    is_theirs = Q(email=email) | Q(author_id=user_id, author__isnull=False)
    written = Review.objects.filter(is_theirs, product__in=product_ids, is_verified=False)
    changed = list(written.values_list("product_id", flat=True))
    if changed:
        written.update(is_verified=True)
        announce(*(f"reviews:{product_id}" for product_id in changed))


@inside_transaction
def forget(order_numbers: Collection[str]) -> None:
    """Forget who bought what with these orders."""
    Purchase.objects.filter(order_number__in=order_numbers).delete()


@inside_transaction
def give(order_numbers: Collection[str], *, emails: Collection[str], user_id: int) -> None:
    """Note whose purchases these are, once a guest's orders became a person's; `emails` are small."""
    theirs = Purchase.objects.filter(email__in=list(emails), order_number__in=list(order_numbers))
    theirs.update(user_id=user_id)
