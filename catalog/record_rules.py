"""What a product record must hold before it may become rows."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from django.utils.translation import gettext as _

from catalog.errors import ProductRefused
from catalog.models import Product
from catalog.records import ProductRecord, VariantRecord
from shop.money import LARGEST_AMOUNT

LONGEST = {
    "title": 250,
    "short_description": 400,
    "origin": 120,
    "sku": 80,
    "barcode": 40,
    "option": 60,
    "value": 80,
    "tag": 60,
    "attribute": 80,
    "unit": 20,
    "seo_title": 120,
    "seo_description": 320,
}
MOST_PIECES = 2_147_483_647
MOST_VARIANTS = 2_000


def check(record: ProductRecord) -> None:
    """Raise `ProductRefused`, naming the field, unless the record can be saved as it stands."""
    if not record.title.strip():
        raise ProductRefused(_("The title is missing."), field="title")
    _check_length("title", record.title)
    _check_length("short_description", record.short_description)
    _check_length("origin", record.origin)
    _check_length("seo_title", record.seo_title or "")
    _check_length("seo_description", record.seo_description or "")
    for tag in record.tags:
        _check_length("tag", tag)
    for attribute in record.attributes:
        _check_length("attribute", attribute.name)
        _check_length("unit", attribute.unit)
    for option in record.options:
        _check_length("option", option.name)
        for value in option.values:
            _check_length("value", value.label)
    is_active = record.status == Product.Status.ACTIVE
    if is_active and not record.variants and not record.may_be_empty:
        raise ProductRefused(_("There is nothing to buy: no variant has a price."), field="price")
    if len(record.variants) > MOST_VARIANTS:
        raise ProductRefused(_("A product can have 2,000 variants at most."), field="options")
    for variant in record.variants:
        if len(variant.options) != len(record.options):
            raise ProductRefused(
                _("Each variant needs a value for every option of the product."), field="options"
            )
        check_variant(variant)
    _check_repeats(record)


def check_variant(variant: VariantRecord) -> None:
    """Raise `ProductRefused`, naming the field, unless one variant makes sense by itself."""
    _check_length("sku", variant.sku)
    _check_length("barcode", variant.barcode)
    for label in variant.options:
        _check_length("value", label)
    amounts = {
        "price": variant.price,
        "compare_at_price": variant.compare_at_price,
        "cost": variant.cost,
    }
    for field, amount in amounts.items():
        if amount is not None and not _is_amount(amount):
            raise ProductRefused(
                _("%(amount)s is not a price: it must lie between 0 and %(largest)s.")
                % {"amount": amount, "largest": LARGEST_AMOUNT},
                field=field,
            )
    if not 0 <= variant.weight_grams <= MOST_PIECES:
        raise ProductRefused(_("The weight does not make sense."), field="weight_grams")
    if not 0 <= (variant.low_stock_at or 0) <= MOST_PIECES:
        raise ProductRefused(_("The number of pieces must be 0 or more."), field="low_stock_at")
    if variant.stock is not None and not 0 <= variant.stock <= MOST_PIECES:
        raise ProductRefused(_("The number of pieces must be 0 or more."), field="stock")


def _check_repeats(record: ProductRecord) -> None:
    combinations = Counter(variant.options for variant in record.variants)
    for options, times in combinations.items():
        if times > 1:
            raise ProductRefused(
                _("Two variants have the same options: %(options)s.")
                % {"options": " / ".join(options) or "-"},
                field="options",
            )
    skus = Counter(variant.sku for variant in record.variants if variant.sku)
    for sku, times in skus.items():
        if times > 1:
            raise ProductRefused(
                _("Two variants have the same SKU: %(sku)s.") % {"sku": sku}, field="sku"
            )


def _check_length(field: str, text: str) -> None:
    if len(text) > LONGEST[field]:
        raise ProductRefused(
            _("“%(start)s…” is too long: %(count)d characters at most.")
            % {"start": text[:40], "count": LONGEST[field]},
            field=field,
        )


def _is_amount(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount <= LARGEST_AMOUNT
