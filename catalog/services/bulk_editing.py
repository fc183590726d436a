"""Many prices and shelves at once: all or nothing, and never over what others changed meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from accounts.models import AuditEntry
from accounts.services import audit
from catalog.models import Product, ProductVariant, StockLevel, StockMovement
from catalog.services import stock, summaries
from shop.clock import now
from shop.errors import ShopError
from shop.locking import retry_when_busy
from shop.services.changes import announce
from shop.transactions import inside_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a variant costs, cost before, and how many lie on its shelf; None: not counted."""

    price: Decimal
    compare_at: Decimal | None
    pieces: int | None


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody wants of a variant, and what they saw when they decided it."""

    variant_id: int
    seen: Numbers
    wanted: Numbers

    @property
    def changes_price(self) -> bool:
        return (self.seen.price, self.seen.compare_at) != (
            self.wanted.price,
            self.wanted.compare_at,
        )

    @property
    def changes_pieces(self) -> bool:
        return self.seen.pieces != self.wanted.pieces

    @property
    def changes_anything(self) -> bool:
        return self.changes_price or self.changes_pieces

    def is_overtaken_by(self, current: Numbers) -> bool:
        """Say whether something that is to change is not any more what was seen."""
        prices_differ = (self.seen.price, self.seen.compare_at) != (
            current.price,
            current.compare_at,
        )
        return (self.changes_price and prices_differ) or (
            self.changes_pieces and self.seen.pieces != current.pieces
        )


class ChangedMeanwhile(ShopError):
    """Somebody else changed some of the variants; `current` is what they have now."""

    def __init__(self, current: Mapping[int, Numbers]) -> None:
        super().__init__(
            _(
                "Somebody else changed some of these meanwhile. Nothing was saved; please look again."
            )
        )
        self.current = current


@retry_when_busy
@own_transaction
def save(
    edits: Sequence[Edit],
    *,
    among: Collection[int] | None,
    cause: StockMovement.Cause,
    note: str,
    actor: User,
) -> list[ProductVariant]:
    """Save all of the edits or, raising `ChangedMeanwhile` or `StockRuleBroken`, none of them.

    `among` are the sellers whose variants may be changed, None meaning all; edits of others count
    as overtaken. Returns the variants that changed. Locks stock levels, variants and products, each
    by primary key. Former prices are written by the database, each shelf's change into the ledger.
    """
    wanted = {edit.variant_id: edit for edit in edits if edit.changes_anything}
    current, rows = _lock(wanted, among)
    gone = {pk: edit.seen for pk, edit in wanted.items() if pk not in current}
    overtaken = {
        pk: numbers for pk, numbers in current.items() if wanted[pk].is_overtaken_by(numbers)
    }
    if gone or overtaken:
        raise ChangedMeanwhile(gone | overtaken)

    audit.sign(actor, door=AuditEntry.Door.ADMIN, reason=note)
    priced = [rows[pk] for pk, edit in wanted.items() if edit.changes_price]
    for row in priced:
        row.price = wanted[row.pk].wanted.price
        row.compare_at_price = wanted[row.pk].wanted.compare_at
    ProductVariant.objects.bulk_update(priced, ["price", "compare_at_price"])
    quantities = {
        pk: edit.wanted.pieces
        for pk, edit in wanted.items()
        if edit.changes_pieces and edit.wanted.pieces is not None
    }
    stock.count_many(quantities, actor=actor, reason=note, cause=cause)
    products = {row.product_id for row in priced}
    summaries.refresh(products)
    Product.objects.filter(pk__in=products).update(updated_at=now())
    announce(*(f"product:{product_id}" for product_id in products))
    return list(rows.values())


@inside_transaction
def _lock(
    variant_ids: Collection[int], among: Collection[int] | None
) -> tuple[dict[int, Numbers], dict[int, ProductVariant]]:
    """Lock variants with their shelves and read them as they are now."""
    levels = {
        level.variant_id: level.on_hand
        for level in StockLevel.objects.filter(variant__in=variant_ids)
        .order_by("pk")
        .select_for_update(of=["self"])
    }
    variants = ProductVariant.objects.filter(pk__in=variant_ids).select_related("product")
    if among is not None:
        variants = variants.filter(product__seller__in=among)
    rows = {row.pk: row for row in variants.order_by("pk").select_for_update(of=["self"])}
    numbers = {
        pk: Numbers(
            price=row.price,
            compare_at=row.compare_at_price,
            pieces=levels.get(pk) if row.tracks_stock else None,
        )
        for pk, row in rows.items()
    }
    return numbers, rows
