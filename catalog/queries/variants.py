"""The variants of one product, and the ways from one to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.queries.links import product_url
from catalog.queries.rows import fetch_rows
from shop.money import Money

FEW = 5


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant for sale. `available` None: its stock is not counted, any number can be bought."""

    id: int
    sku: str
    label: str
    price: Decimal
    compare_at: Decimal | None
    image_id: int | None
    available: int | None
    value_ids: frozenset[int]

    @property
    def in_stock(self) -> bool:
        return self.available is None or self.available > 0


@dataclass(frozen=True, slots=True)
class VariantView:
    id: int
    sku: str
    label: str
    price: Money
    compare_at: Money | None
    in_stock: bool
    stock_words: str
    max_quantity: int


@dataclass(frozen=True, slots=True)
class OptionChoice:
    label: str
    swatch: str
    url: str
    selected: bool
    available: bool


@dataclass(frozen=True, slots=True)
class OptionAxis:
    name: str
    values: tuple[OptionChoice, ...]


def list_variants(product_id: int) -> list[Variant]:
    """List what can be bought of a product, in the order in which the seller put it."""
    rows = fetch_rows(
        """
        SELECT variant.id, variant.sku, variant.label, variant.price, variant.compare_at_price,
               variant.image_id, variant.tracks_stock,
               coalesce(level.on_hand - level.allocated, 0),
               ARRAY(
                   SELECT chosen.optionvalue_id FROM catalog_productvariant_option_values chosen
                   WHERE chosen.productvariant_id = variant.id
               )
        FROM catalog_productvariant variant
        LEFT JOIN catalog_stocklevel level ON level.variant_id = variant.id
        WHERE variant.product_id = %(product)s AND variant.is_active
        ORDER BY variant.position, variant.id
        """,
        {"product": product_id},
    )
    return [
        Variant(
            id=variant_id,
            sku=sku,
            label=label,
            price=price,
            compare_at=compare_at,
            image_id=image_id,
            available=left if is_counted else None,
            value_ids=frozenset(value_ids),
        )
        for variant_id, sku, label, price, compare_at, image_id, is_counted, left, value_ids in rows
    ]


def choose(variants: Sequence[Variant], sku: str) -> Variant:
    """Return the variant asked for, else the first that is in stock, else the first."""
    asked = next((variant for variant in variants if variant.sku == sku), None)
    return asked or next((variant for variant in variants if variant.in_stock), variants[0])


def view(variant: Variant) -> VariantView:
    """Say what the page says of the variant that is chosen."""
    currency = settings.SHOP_CURRENCY
    limit: int = settings.SHOP_ORDER_QUANTITY_LIMIT
    before = variant.compare_at
    return VariantView(
        id=variant.id,
        sku=variant.sku,
        label=variant.label,
        price=Money(variant.price, currency),
        compare_at=Money(before, currency) if before and before > variant.price else None,
        in_stock=variant.in_stock,
        stock_words=_stock_words(variant.available),
        max_quantity=limit if variant.available is None else min(variant.available, limit),
    )


def list_axes(
    product_id: int, *, slug: str, variants: Sequence[Variant], chosen: Variant
) -> list[OptionAxis]:
    """List the options of a product; each choice leads to the variant nearest to the chosen one."""
    rows = fetch_rows(
        """
        SELECT option.name, value.id, value.label, value.swatch
        FROM catalog_option option JOIN catalog_optionvalue value ON value.option_id = option.id
        WHERE option.product_id = %(product)s
        ORDER BY option.position, option.id, value.position, value.id
        """,
        {"product": product_id},
    )
    choices: dict[str, list[OptionChoice]] = {}
    for name, value_id, label, swatch in rows:
        having = [variant for variant in variants if value_id in variant.value_ids]
        if not having:
            continue
        target = max(having, key=lambda variant: _nearness(variant, chosen))
        choices.setdefault(name, []).append(
            OptionChoice(
                label=label,
                swatch=swatch,
                url=product_url(slug, sku=target.sku),
                selected=value_id in chosen.value_ids,
                available=target.in_stock,
            )
        )
    return [OptionAxis(name=name, values=tuple(values)) for name, values in choices.items()]


def _nearness(variant: Variant, chosen: Variant) -> tuple[int, bool]:
    """Rank by how many choices would stay as they are; of equals, what is in stock comes first."""
    return len(variant.value_ids & chosen.value_ids), variant.in_stock


def _stock_words(available: int | None) -> str:
    if available is None or available > FEW:
        return _("In stock")
    if available <= 0:
        return _("Sold out")
    words = ngettext("Only %(count)d left", "Only %(count)d left", available)
    return words % {"count": available}
