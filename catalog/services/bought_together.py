"""What is bought together, as the page of a product recommends by it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from catalog.models import BoughtTogether, Product
from shop.locking import retry_when_busy
from shop.services.changes import announce
from shop.transactions import no_transaction, own_transaction

BATCH = 500
MOST_COMPANIONS = 8

Companions = Mapping[int, Sequence[tuple[int, int]]]
"""For each product the others, with the number of orders that had both, most orders first."""


@no_transaction
def set_companions(companions: Companions) -> int:
    """Write what each product was bought with, nothing for all others; return how many changed."""
    known = BoughtTogether.objects.order_by().values_list("product_id", flat=True).distinct()
    ids = sorted({*companions, *known})
    return sum(
        _write_batch(ids[start : start + BATCH], companions) for start in range(0, len(ids), BATCH)
    )


@retry_when_busy
@own_transaction
def _write_batch(ids: Collection[int], companions: Companions) -> int:
    """Write what differs of some products, and announce those that now recommend others.

    Locks the products in primary-key order: one that is deleted meanwhile is left out.
    """
    before = _read(ids)
    wanted = {product: [*companions.get(product, ())][:MOST_COMPANIONS] for product in ids}
    changed = [product for product in ids if before.get(product, []) != wanted[product]]
    others = {other for product in changed for other, _orders in wanted[product]}
    there = set(
        Product.objects.filter(pk__in={*changed, *others})
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk", flat=True)
    )
    BoughtTogether.objects.filter(product_id__in=changed).delete()
    BoughtTogether.objects.bulk_create(
        BoughtTogether(product_id=product, other_id=other, orders=orders)
        for product in changed
        for other, orders in wanted[product]
        if {product, other} <= there
    )
    announce(
        *(
            f"product:{product}"
            for product in changed
            if _others(before.get(product, [])) != _others(wanted[product])
        )
    )
    return len(changed)


def _read(ids: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    rows = BoughtTogether.objects.filter(product_id__in=ids).order_by("-orders", "id")
    for product, other, orders in rows.values_list("product_id", "other_id", "orders"):
        found.setdefault(product, []).append((other, orders))
    return found


def _others(companions: Sequence[tuple[int, int]]) -> list[int]:
    return [other for other, _orders in companions]
