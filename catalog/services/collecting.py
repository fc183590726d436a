"""Which collections products are in by hand, for many products in a few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Max

from catalog.models import Collection, CollectionItem
from catalog.records import CategoryStep
from shop.services.changes import announce
from shop.transactions import inside_transaction


@dataclass(frozen=True, slots=True)
class Collected:
    """The ids of the products that were put somewhere else, and collections that take nobody."""

    changed: frozenset[int] = frozenset()
    by_rule: frozenset[str] = frozenset()


@inside_transaction
def collect(wanted: Mapping[int, Sequence[CategoryStep]]) -> Collected:
    """Put products, by id, into just these of the collections that are chosen by hand.

    Whoever comes new stands last; a collection that is missing is made. Those that find their
    products by a rule are left alone.
    """
    if not wanted:
        return Collected()
    collections = _ensure({step.slug: step for steps in wanted.values() for step in steps})
    by_hand = {
        slug: row.pk for slug, row in collections.items() if row.kind == Collection.Kind.HAND
    }
    present: dict[int, dict[int, int]] = defaultdict(dict)
    items = CollectionItem.objects.filter(
        product__in=wanted.keys(), collection__kind=Collection.Kind.HAND
    )
    for item in items:
        present[item.product_id][item.collection_id] = item.pk
    new: list[tuple[int, int]] = []
    leftover: list[int] = []
    changed: set[int] = set()
    for product_id, steps in wanted.items():
        chosen = dict.fromkeys(by_hand[step.slug] for step in steps if step.slug in by_hand)
        had = present[product_id]
        new += [(collection_id, product_id) for collection_id in chosen if collection_id not in had]
        leftover += [pk for collection_id, pk in had.items() if collection_id not in chosen]
        if chosen.keys() != had.keys():
            changed.add(product_id)
    if changed:
        CollectionItem.objects.filter(pk__in=leftover).delete()
        _add(new)
        announce("collections")
    return Collected(frozenset(changed), frozenset(collections.keys() - by_hand.keys()))


def _ensure(steps: Mapping[str, CategoryStep]) -> dict[str, Collection]:
    found = {row.slug: row for row in Collection.objects.filter(slug__in=steps)}
    for slug in steps.keys() - found.keys():
        found[slug], is_new = Collection.objects.get_or_create(
            slug=slug,
            defaults={"name": steps[slug].name[:120], "kind": Collection.Kind.HAND},
        )
        if is_new:
            announce("collections")
    return found


def _add(new: Iterable[tuple[int, int]]) -> None:
    """Put products behind the last one of a collection; somebody else may be doing the same."""
    rows = [CollectionItem(collection_id=collection, product_id=each) for collection, each in new]
    last: dict[int, int] = dict(
        CollectionItem.objects.filter(collection__in={row.collection_id for row in rows})
        .order_by()
        .values_list("collection")
        .annotate(Max("position"))
    )
    for row in rows:
        row.position = last[row.collection_id] = last.get(row.collection_id, -1) + 1
    CollectionItem.objects.bulk_create(rows, ignore_conflicts=True)
