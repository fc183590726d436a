"""Stock: promise, release, sell, receive. The only module that changes a stock level.

Every change is one conditional UPDATE per level, in primary-key order, beside a movement that says
why; CHECK constraints stand behind it. A level is never read first and written later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection
from django.utils.translation import gettext as _

from catalog.errors import OutOfStock, StockRuleBroken
from catalog.models import ProductVariant, StockLevel, StockMovement
from catalog.queries.variants import FEW
from catalog.services import summaries
from shop.services.changes import announce
from shop.transactions import inside_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User

Demand = Mapping[int, int]
"""How many pieces of each variant, by variant id."""


@inside_transaction
def allocate(demand: Demand, *, reference: str) -> None:
    """Promise pieces to an order, all or nothing.

    Locks the stock levels in primary-key order. Raises `OutOfStock`; the caller's transaction must
    then be rolled back. Variants whose stock is not counted, and so have no level, must not be in
    the demand.
    """
    changed = _change(
        demand,
        kind=StockMovement.Kind.ALLOCATION,
        on_hand=0,
        allocated=1,
        guard="on_hand - allocated >= demand.quantity",
        reference=reference,
    )
    if len(changed) < len(demand):
        raise OutOfStock(_("Somebody was faster: not everything in your cart is still in stock."))
    _announce_few(changed)
    summaries.refresh({each.product_id for each in changed if not each.available})


@inside_transaction
def release(demand: Demand, *, reference: str) -> None:
    """Take a promise back; locks the stock levels in primary-key order."""
    changed = _change(
        demand,
        kind=StockMovement.Kind.RELEASE,
        on_hand=0,
        allocated=-1,
        guard="allocated >= demand.quantity",
        reference=reference,
        must_change_all=True,
    )
    _announce_few(changed)
    summaries.refresh({each.product_id for each in changed})


@inside_transaction
def sell(demand: Demand, *, reference: str) -> None:
    """Turn a promise into a sale: the pieces leave the shelf. Locks levels in primary-key order."""
    _change(
        demand,
        kind=StockMovement.Kind.SALE,
        on_hand=-1,
        allocated=-1,
        guard="allocated >= demand.quantity",
        reference=reference,
        must_change_all=True,
    )


@inside_transaction
def take_back(demand: Demand, *, reference: str) -> None:
    """Put sold pieces back on the shelf; locks the stock levels in primary-key order."""
    changed = _change(
        demand,
        kind=StockMovement.Kind.RETURN,
        on_hand=1,
        allocated=0,
        guard="true",
        reference=reference,
        must_change_all=True,
    )
    _announce_few(changed)
    summaries.refresh({each.product_id for each in changed})


@own_transaction
def set_on_hand(
    variant: ProductVariant, quantity: int, *, actor: User | None, reason: str
) -> StockLevel:
    """Count the shelf anew, as `count` does, in a transaction of its own."""
    return count(variant, quantity, actor=actor, reason=reason)


@inside_transaction
def count(
    variant: ProductVariant, quantity: int, *, actor: User | None = None, reason: str
) -> StockLevel:
    """Set how many pieces lie on the shelf, creating the level at the first count.

    Locks the level. Raises `StockRuleBroken` when more pieces are promised than would be left.
    """
    StockLevel.objects.get_or_create(variant=variant)
    level = StockLevel.objects.select_for_update().get(variant=variant)
    change = quantity - level.on_hand
    if not change:
        return level
    if quantity < level.allocated:
        raise StockRuleBroken(
            _(
                "%(allocated)d pieces of %(sku)s are promised to orders; "
                "the shelf cannot hold fewer."
            )
            % {"allocated": level.allocated, "sku": variant.sku}
        )
    level.on_hand = quantity
    level.save(update_fields=["on_hand"])
    StockMovement.objects.create(
        level=level,
        kind=StockMovement.Kind.RECEIPT if change > 0 else StockMovement.Kind.ADJUSTMENT,
        on_hand_change=change,
        allocated_change=0,
        reason=reason,
        actor=actor,
    )
    announce(f"pieces:{variant.product_id}")
    summaries.refresh([variant.product_id])
    return level


_CHANGE = """
WITH demand AS (
    SELECT level.id, wanted.quantity
    FROM unnest(%(variants)s::bigint[], %(quantities)s::int[]) AS wanted(variant_id, quantity)
    JOIN catalog_stocklevel level ON level.variant_id = wanted.variant_id
    ORDER BY level.id
    FOR UPDATE OF level
), changed AS (
    UPDATE catalog_stocklevel AS level
    SET on_hand = level.on_hand + %(on_hand)s * demand.quantity,
        allocated = level.allocated + %(allocated)s * demand.quantity
    FROM demand
    WHERE level.id = demand.id AND {guard}
    RETURNING level.id, level.variant_id, level.on_hand - level.allocated AS available,
              demand.quantity
), moved AS (
    INSERT INTO catalog_stockmovement
        (level_id, kind, on_hand_change, allocated_change, reference, reason)
    SELECT id, %(kind)s, %(on_hand)s * quantity, %(allocated)s * quantity, %(reference)s, ''
    FROM changed
)
SELECT changed.variant_id, variant.product_id, changed.quantity, changed.available
FROM changed JOIN catalog_productvariant variant ON variant.id = changed.variant_id
"""


@dataclass(frozen=True, slots=True)
class _Changed:
    """A level as its change found and left it."""

    variant_id: int
    product_id: int
    before: int
    available: int


def _change(
    demand: Demand,
    *,
    kind: StockMovement.Kind,
    on_hand: int,
    allocated: int,
    guard: str,
    reference: str,
    must_change_all: bool = False,
) -> list[_Changed]:
    """Change the levels whose guard holds and book the movements; return those levels.

    The inner SELECT locks in primary-key order and sees the newest committed row, so the guard is
    judged on current numbers: a second buyer waits here, then finds what the first one left.
    """
    if not demand:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _CHANGE.format(guard=guard),
            {
                "variants": list(demand.keys()),
                "quantities": list(demand.values()),
                "kind": kind.value,
                "on_hand": on_hand,
                "allocated": allocated,
                "reference": reference,
            },
        )
        changed = [
            _Changed(variant, product, available - (on_hand - allocated) * quantity, available)
            for variant, product, quantity, available in cursor.fetchall()
        ]
    if must_change_all and len(changed) != len(demand):
        missing = sorted(set(demand) - {each.variant_id for each in changed})
        raise RuntimeError(f"stock of variants {missing} does not carry the promise of {reference}")
    return changed


def _announce_few(changed: Iterable[_Changed]) -> None:
    """Announce where the page of a product says how few are left, or said so before."""
    few = [each for each in changed if min(each.before, each.available) <= FEW]
    announce(*(f"pieces:{each.product_id}" for each in few))
