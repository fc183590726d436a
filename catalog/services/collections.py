"""Collections: set up, and kept up as time goes by."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.models import Collection, CollectionItem, Product
from shop.services.changes import announce
from shop.transactions import own_transaction


@own_transaction
def save(collection: Collection, *, products: Sequence[str] = ()) -> Collection:
    """Save a collection, with these products by their slugs where it is chosen by hand."""
    collection.save()
    known = dict(Product.objects.filter(slug__in=products).values_list("slug", "pk"))
    collection.items.all().delete()
    CollectionItem.objects.bulk_create(
        CollectionItem(collection=collection, product_id=known[slug], position=position)
        for position, slug in enumerate(products)
        if slug in known
    )
    announce("collections")
    return collection


@own_transaction
def turn_over() -> int:
    """Have the pages made anew of collections whose rule looks at the date; return how many."""
    rows = Collection.objects.filter(kind=Collection.Kind.RULE, newest_days__isnull=False)
    ids = list(rows.values_list("pk", flat=True))
    announce(*(f"collection:{collection}" for collection in ids))
    return len(ids)
