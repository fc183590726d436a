"""The variants of one product, and the ways from one to another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.queries.links import product_url
from catalog.queries.rows import fetch_rows
from shop.formatting import format_money
from shop.money import Money

IN_STOCK = "NOT variant.tracks_stock OR coalesce(level.on_hand > level.allocated, false)"
"""SQL of whether a row `variant` with its stock `level`, if it has one, can be had."""
FEW = 5
MANY_CHOICES = 30
"""From so many choices on an option is a field to choose from, and no longer a wall of links."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant for sale. `available` None: its stock is not counted, any number can be bought.

    `lowest` is the lowest price of the 30 days before the reduction, where it is reduced and ever
    cost something else.
    """

    id: int
    sku: str
    barcode: str
    label: str
    price: Decimal
    compare_at: Decimal | None
    lowest: Decimal | None
    image_id: int | None
    available: int | None
    value_ids: frozenset[int]

    @property
    def in_stock(self) -> bool:
        return self.available is None or self.available > 0

    @property
    def is_reduced(self) -> bool:
        return self.compare_at is not None and self.compare_at > self.price


@dataclass(frozen=True, slots=True)
class VariantView:
    """What the page says of a variant; `lowest_words` where its price is shown as reduced."""

    id: int
    sku: str
    label: str
    price: Money
    compare_at: Money | None
    lowest_words: str
    in_stock: bool
    stock_words: str
    max_quantity: int


@dataclass(frozen=True, slots=True)
class OptionChoice:
    """A value of an option, leading to the variant with `sku`, which is `available` or sold out.

    `missing` names what is chosen now and not made with this value ("Large / Linen"); the variant
    is then the one that comes nearest.
    """

    id: int
    label: str
    swatch: str
    url: str
    sku: str
    selected: bool
    available: bool
    missing: str


@dataclass(frozen=True, slots=True)
class OptionAxis:
    """An option with its choices; `url` is the product's, for a form that sends one of their SKUs."""

    name: str
    values: tuple[OptionChoice, ...]
    url: str

    @property
    def is_long(self) -> bool:
        return len(self.values) >= MANY_CHOICES


def list_variants(product_id: int) -> list[Variant]:
    """List what can be bought of a product, in the order in which the seller put it."""
    rows = fetch_rows(
        """
        SELECT variant.id, variant.sku, variant.barcode, variant.label, variant.price,
               variant.compare_at_price,
               CASE WHEN variant.compare_at_price > variant.price THEN (
                   SELECT min(former.price) FROM catalog_formerprice former
                   WHERE former.variant_id = variant.id AND former.ended_at >= (
                       SELECT max(last.ended_at) - interval '30 days'
                       FROM catalog_formerprice last WHERE last.variant_id = variant.id
                   )
               ) END,
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
            barcode=barcode,
            label=label,
            price=price,
            compare_at=compare_at,
            lowest=lowest,
            image_id=image_id,
            available=left if is_counted else None,
            value_ids=frozenset(value_ids),
        )
        for (
            variant_id, sku, barcode, label, price, compare_at, lowest, image_id, is_counted, left,
            value_ids,
        ) in rows
    ]  # fmt: skip


def choose(variants: Sequence[Variant], sku: str) -> Variant:
    """Return the variant asked for, else the first that is in stock, else the first."""
    asked = next((variant for variant in variants if variant.sku == sku), None)
    return asked or next((variant for variant in variants if variant.in_stock), variants[0])


def view(variant: Variant) -> VariantView:
    """Say what the page says of the variant that is chosen."""
    currency = settings.SHOP_CURRENCY
    limit: int = settings.SHOP_ORDER_QUANTITY_LIMIT
    before = variant.compare_at if variant.is_reduced else None
    return VariantView(
        id=variant.id,
        sku=variant.sku,
        label=variant.label,
        price=Money(variant.price, currency),
        compare_at=Money(before, currency) if before else None,
        lowest_words=_lowest_words(variant) if before else "",
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
    having: dict[int, list[Variant]] = defaultdict(list)
    for variant in variants:
        for value_id in variant.value_ids:
            having[value_id].append(variant)
    picked = {
        value_id: (name, label)
        for name, value_id, label, _swatch in rows
        if value_id in chosen.value_ids
    }
    choices: dict[str, list[OptionChoice]] = {}
    for name, value_id, label, swatch in rows:
        if value_id not in having:
            continue
        others = frozenset(
            picked_id for picked_id, (axis, _label) in picked.items() if axis != name
        )
        target = max(having[value_id], key=partial(_nearness, others))
        choices.setdefault(name, []).append(
            OptionChoice(
                id=value_id,
                label=label,
                swatch=swatch,
                url=product_url(slug, sku=target.sku),
                sku=target.sku,
                selected=value_id in chosen.value_ids,
                available=target.in_stock,
                missing=" / ".join(
                    picked[other][1] for other in picked if other in others - target.value_ids
                ),
            )
        )
    return [
        OptionAxis(name=name, values=tuple(values), url=product_url(slug))
        for name, values in choices.items()
    ]


def _nearness(others: frozenset[int], variant: Variant) -> tuple[bool, bool, int]:
    """Rank by whether all other choices stay as they are, then whether it can be had, then how many.

    `others` are the values chosen on the other axes.
    """
    return others <= variant.value_ids, variant.in_stock, len(variant.value_ids & others)


def _stock_words(available: int | None) -> str:
    if available is None or available > FEW:
        return _("In stock")
    if available <= 0:
        return _("Sold out")
    words = ngettext("Only %(count)d left", "Only %(count)d left", available)
    return words % {"count": available}


def _lowest_words(variant: Variant) -> str:
    """Say what a reduced price is to be measured by (Directive 98/6/EC, article 6a).

    That is the lowest price of the 30 days before the reduction. Where the shop knows no earlier
    price, none was lower than the one of now.
    """
    if variant.lowest is None:
        words = _("Lowest price of the last 30 days: %(price)s")
    else:
        words = _("Lowest price of the 30 days before the reduction: %(price)s")
    lowest = variant.price if variant.lowest is None else variant.lowest
    return words % {"price": format_money(Money(lowest, settings.SHOP_CURRENCY))}
