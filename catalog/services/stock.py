"""Stock: promise, release, sell, receive. The only module that changes a stock level.

Every change is one conditional UPDATE per level, in primary-key order, beside a movement that says
why; CHECK constraints stand behind it. A level is never read first and written later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from catalog.errors import OutOfStock, StockRuleBroken
from catalog.models import ProductVariant, StockLevel, StockMovement
from catalog.queries.variants import FEW
from catalog.record_rules import MOST_PIECES
from catalog.services import restock, summaries
from shop.clock import now
from shop.services.changes import announce
from shop.transactions import inside_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User

Demand = Mapping[int, int]
"""How many pieces of each variant, by variant id."""
TAKES_AWAY = frozenset({StockMovement.Cause.DAMAGED, StockMovement.Cause.LOST})


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
    _welcome_back(changed)


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
    _welcome_back(changed)


@own_transaction
def set_on_hand(
    variant: ProductVariant, quantity: int, *, actor: User | None, reason: str
) -> StockLevel:
    """Count the shelf anew, as `count` does, in a transaction of its own."""
    return count(variant, quantity, actor=actor, reason=reason)


@inside_transaction
def count(
    variant: ProductVariant,
    quantity: int,
    *,
    actor: User | None = None,
    reason: str,
    cause: str = "",
) -> StockLevel:
    """Set how many pieces lie on the shelf, creating the level at the first count.

    `cause` is one of `StockMovement.Cause` when a person chose it, `reason` what they noted. Locks
    the level. Raises `StockRuleBroken` when more pieces are promised than would be left.
    """
    StockLevel.objects.get_or_create(variant=variant)
    level = StockLevel.objects.select_for_update().get(variant=variant)
    if _set(level, variant, quantity, actor=actor, reason=reason, cause=cause):
        _tell([variant.product_id])
    return level


@inside_transaction
def open_shelves(quantities: Demand, *, actor: User | None = None, reason: str) -> None:
    """Put the first pieces of variants that nobody has seen yet on their shelves, by variant id.

    What lists show of their products is the caller's to refresh.
    """
    levels = StockLevel.objects.bulk_create(
        StockLevel(variant_id=variant_id, on_hand=quantity)
        for variant_id, quantity in quantities.items()
    )
    StockMovement.objects.bulk_create(
        StockMovement(
            level=level,
            kind=StockMovement.Kind.RECEIPT,
            on_hand_change=level.on_hand,
            allocated_change=0,
            reason=reason,
            actor=actor,
        )
        for level in levels
        if level.on_hand
    )


@inside_transaction
def lock_shelves(skus: Collection[str]) -> None:
    """Lock the stock levels of some variants by primary key, before they are counted in turn."""
    levels = StockLevel.objects.filter(variant__sku__in=skus).order_by("pk")
    list(levels.select_for_update(of=["self"]).values_list("pk"))


@inside_transaction
def count_many(
    quantities: Demand, *, actor: User | None, reason: str, cause: StockMovement.Cause
) -> int:
    """Set how many pieces lie on several shelves, by variant id; return how many changed.

    Locks the levels in primary-key order. Raises `StockRuleBroken`, as `count` does, for the first
    that cannot be; the caller's transaction must then be rolled back.
    """
    levels = (
        StockLevel.objects.filter(variant__in=quantities)
        .select_related("variant")
        .order_by("pk")
        .select_for_update(of=["self"])
    )
    changed = []
    for level in levels:
        variant, quantity = level.variant, quantities[level.variant_id]
        if _set(level, variant, quantity, actor=actor, reason=reason, cause=cause):
            changed.append(variant.product_id)
    _tell(changed)
    return len(changed)


@inside_transaction
def adjust(
    variant: ProductVariant,
    pieces: int,
    *,
    cause: StockMovement.Cause,
    actor: User | None,
    note: str = "",
) -> StockLevel:
    """Correct what lies on the shelf, for a cause: some came, some went, or all were counted.

    What came or went is added or taken off, whatever was sold meanwhile. Locks the level. Raises
    `StockRuleBroken` when less would be left than is promised, or more than a shelf can hold.
    """
    level = StockLevel.objects.select_for_update().get(variant=variant)
    if cause == StockMovement.Cause.COUNTED:
        quantity = pieces
    else:
        quantity = level.on_hand + (-pieces if cause in TAKES_AWAY else pieces)
    if quantity > MOST_PIECES:
        raise StockRuleBroken(_("A shelf cannot hold as many pieces."))
    if _set(level, variant, quantity, actor=actor, reason=note, cause=cause):
        _tell([variant.product_id])
    return level


@inside_transaction
def set_low_mark(variant: ProductVariant, pieces: int | None) -> None:
    """Set at how many pieces a variant runs low; None means as the shop has it."""
    variant.low_stock_at = pieces
    variant.save(update_fields=["low_stock_at"])


def _set(
    level: StockLevel,
    variant: ProductVariant,
    quantity: int,
    *,
    actor: User | None,
    reason: str,
    cause: str,
) -> bool:
    """Change a level that is locked, and book who did it and why; say whether it changed."""
    change = quantity - level.on_hand
    if not change:
        return False
    if quantity < 0:
        raise StockRuleBroken(
            _("Only %(on_hand)d pieces of %(sku)s lie on the shelf.")
            % {"on_hand": level.on_hand, "sku": variant.sku}
        )
    if quantity < level.allocated:
        raise StockRuleBroken(
            _(
                "%(allocated)d pieces of %(sku)s are promised to orders; "
                "the shelf cannot hold fewer."
            )
            % {"allocated": level.allocated, "sku": variant.sku}
        )
    level.on_hand = quantity
    _judge(level, variant, fell=change < 0)
    level.save(update_fields=["on_hand", "low_since", "low_told_at"])
    StockMovement.objects.create(
        level=level,
        kind=StockMovement.Kind.RECEIPT if change > 0 else StockMovement.Kind.ADJUSTMENT,
        on_hand_change=change,
        allocated_change=0,
        reason=reason,
        cause=cause,
        actor=actor,
    )
    if level.available > 0 >= level.available - change:
        restock.notice([variant.pk])
    return True


def _tell(product_ids: Collection[int]) -> None:
    announce(*(f"pieces:{product_id}" for product_id in product_ids))
    summaries.refresh(set(product_ids))


def _judge(level: StockLevel, variant: ProductVariant, *, fell: bool) -> None:
    """Note since when the shelf runs low; with enough on it, all is forgotten."""
    low_at = variant.low_stock_at
    if level.available > (settings.SHOP_LOW_STOCK if low_at is None else low_at):
        level.low_since = level.low_told_at = None
    elif fell and level.low_since is None:
        level.low_since = now()


# What `_judge` says is said here in SQL, with `gone` as the pieces that fewer people can buy.
_CHANGE = """
WITH demand AS (
    SELECT level.id, wanted.quantity, variant.product_id,
           coalesce(variant.low_stock_at, %(low_at)s::int) AS low_at,
           (%(allocated)s::int - %(on_hand)s::int) * wanted.quantity AS gone
    FROM unnest(%(variants)s::bigint[], %(quantities)s::int[]) AS wanted(variant_id, quantity)
    JOIN catalog_stocklevel level ON level.variant_id = wanted.variant_id
    JOIN catalog_productvariant variant ON variant.id = level.variant_id
    ORDER BY level.id
    FOR UPDATE OF level
), changed AS (
    UPDATE catalog_stocklevel AS level
    SET on_hand = level.on_hand + %(on_hand)s * demand.quantity,
        allocated = level.allocated + %(allocated)s * demand.quantity,
        low_since = CASE
            WHEN level.on_hand - level.allocated - gone > low_at THEN NULL
            WHEN gone > 0 THEN coalesce(level.low_since, now())
            ELSE level.low_since END,
        low_told_at = CASE
            WHEN level.on_hand - level.allocated - gone > low_at THEN NULL
            ELSE level.low_told_at END
    FROM demand
    WHERE level.id = demand.id AND {guard}
    RETURNING level.id, level.variant_id, level.on_hand - level.allocated AS available,
              demand.product_id, demand.quantity
), moved AS (
    INSERT INTO catalog_stockmovement
        (level_id, kind, on_hand_change, allocated_change, reference, reason)
    SELECT id, %(kind)s, %(on_hand)s * quantity, %(allocated)s * quantity, %(reference)s, ''
    FROM changed
)
SELECT variant_id, product_id, quantity, available FROM changed
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
                "low_at": settings.SHOP_LOW_STOCK,
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


def _welcome_back(changed: Collection[_Changed]) -> None:
    """Tell of pieces that can be bought again: pages, those who wait for them, and lists."""
    _announce_few(changed)
    restock.notice([each.variant_id for each in changed if each.available > 0 >= each.before])
    summaries.refresh({each.product_id for each in changed})


def _announce_few(changed: Iterable[_Changed]) -> None:
    """Announce where the page of a product says how few are left, or said so before."""
    few = [each for each in changed if min(each.before, each.available) <= FEW]
    announce(*(f"pieces:{each.product_id}" for each in few))
