"""The parts of one product: its options, variants and attribute values."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from catalog import facts
from catalog.errors import ProductRefused
from catalog.models import (
    Attribute,
    AttributeValue,
    Option,
    OptionValue,
    Product,
    ProductImage,
    ProductVariant,
)
from catalog.records import AttributeRecord, OptionValueRecord, ProductRecord, VariantRecord
from catalog.services.rows import assign, choose_positions
from shop.money import quantize
from shop.services.changes import announce
from shop.transactions import inside_transaction

LONGEST_SKU = 80
SWATCH = re.compile(r"#[0-9a-fA-F]{6}")
Values = dict[tuple[int, str], OptionValue]
"""The product's option values by axis (0 first) and label."""


def name_skus(slug: str, record: ProductRecord) -> Iterator[tuple[str, VariantRecord]]:
    """Pair every variant with its SKU, made of the slug and the options where it has none."""
    for variant in record.variants:
        yield variant.sku or _make_sku(slug, variant.options), variant


@inside_transaction
def save(product: Product, record: ProductRecord, *, pictures: Mapping[str, ProductImage]) -> bool:
    """Write options and variants as the record has them; say whether a row changed.

    Raises `ProductRefused` when a SKU belongs to another product.
    """
    values, options_changed = _save_options(product, record)
    variants_changed = _save_variants(product, record, values, pictures)
    return options_changed or variants_changed


@inside_transaction
def save_attributes(product: Product, records: Sequence[AttributeRecord]) -> bool:
    """Write the facts that the records name and leave others alone; say whether a row changed."""
    if not records:
        return False
    attributes = get_attributes(records)
    present: dict[tuple[int, str], AttributeValue] = {
        (value.attribute_id, value.facet): value
        for value in AttributeValue.objects.filter(
            product=product, attribute__in=attributes.values()
        )
    }
    new: list[AttributeValue] = []
    is_changed = False
    for record in records:
        attribute = attributes[get_code(record)]
        for fact in facts.read(record.values, kind=attribute.kind, unit=attribute.unit):
            row = present.pop((attribute.pk, fact.facet), None)
            if row is None:
                row = AttributeValue(product=product, attribute=attribute, facet=fact.facet)
                assign(row, text=fact.text, number=fact.number, boolean=fact.boolean)
                new.append(row)
            elif assign(row, text=fact.text, number=fact.number, boolean=fact.boolean):
                row.save()
                is_changed = True
    AttributeValue.objects.filter(pk__in=[row.pk for row in present.values()]).delete()
    AttributeValue.objects.bulk_create(new)
    return is_changed or bool(new) or bool(present)


@inside_transaction
def set_choices(option: Option, choices: Sequence[tuple[str, str]]) -> bool:
    """Set the values of an option, as labels with swatches; say whether a row changed."""
    records = tuple(OptionValueRecord(label, swatch) for label, swatch in choices)
    return _save_choices(option, records)[1]


@inside_transaction
def relabel(product: Product) -> None:
    """Write each variant's label anew from its option values, in axis order."""
    for variant in product.variants.prefetch_related("option_values__option"):
        chosen = sorted(variant.option_values.all(), key=lambda value: _axis(value.option))
        if assign(variant, label=_make_label([value.label for value in chosen])):
            variant.save(update_fields=["label"])


def _axis(option: Option) -> tuple[int, int]:
    return option.position, option.pk


def _save_options(product: Product, record: ProductRecord) -> tuple[Values, bool]:
    present = {option.name: option for option in product.options.prefetch_related("values")}
    options = [
        present.pop(wanted.name, Option(product=product, name=wanted.name))
        for wanted in record.options
    ]
    positions = choose_positions(options)
    values: Values = {}
    is_changed = False
    for axis, (option, wanted) in enumerate(zip(options, record.options, strict=True)):
        if assign(option, position=positions[axis]) or option.pk is None:
            option.save()
            is_changed = True
        choices, choices_changed = _save_choices(option, wanted.values)
        values.update({(axis, label): value for label, value in choices.items()})
        is_changed = is_changed or choices_changed
    for option in present.values():
        option.delete()
    return values, is_changed or bool(present)


def _save_choices(
    option: Option, wanted: Sequence[OptionValueRecord]
) -> tuple[dict[str, OptionValue], bool]:
    present = {value.label: value for value in option.values.all()}
    values = [
        present.pop(choice.label, OptionValue(option=option, label=choice.label))
        for choice in wanted
    ]
    choices: dict[str, OptionValue] = {}
    is_changed = False
    for value, choice, position in zip(values, wanted, choose_positions(values), strict=True):
        swatch = value.swatch if choice.swatch is None else choice.swatch
        if assign(value, position=position, swatch=swatch) or value.pk is None:
            value.save()
            is_changed = True
        choices[choice.label] = value
    for leftover in present.values():
        leftover.delete()
    return choices, is_changed or bool(present)


def _save_variants(
    product: Product,
    record: ProductRecord,
    values: Values,
    pictures: Mapping[str, ProductImage],
) -> bool:
    rows = list(product.variants.prefetch_related("option_values"))
    by_sku = {row.sku: row for row in rows}
    by_options = {frozenset(value.pk for value in row.option_values.all()): row for row in rows}
    named = list(name_skus(product.slug, record))
    _refuse_foreign_skus(product, [sku for sku, _variant in named])
    reserved = {row.pk for sku, _variant in named if (row := by_sku.get(sku))}

    unnamed = {row.pk: row for row in rows}
    chosen = [
        [values[axis, label] for axis, label in enumerate(variant.options)]
        for _sku, variant in named
    ]
    wanted: list[ProductVariant] = []
    for (sku, _variant), choice in zip(named, chosen, strict=True):
        same_options = by_options.get(frozenset(value.pk for value in choice))
        if same_options and (same_options.pk in reserved or same_options.pk not in unnamed):
            same_options = None
        row = by_sku.get(sku) or same_options or ProductVariant(product=product)
        unnamed.pop(row.pk, None)
        wanted.append(row)

    is_changed = False
    positions = choose_positions(wanted)
    for row, (sku, variant), choice, position in zip(wanted, named, chosen, positions, strict=True):
        is_new = row.pk is None
        columns = describe_variant(variant, row, sku=sku, position=position, pictures=pictures)
        if not is_new:
            for name in record.unsaid & columns.keys():
                del columns[name]
        if assign(row, **columns) or is_new:
            row.save()
            is_changed = True
        if {value.pk for value in choice} != {value.pk for value in row.option_values.all()}:
            row.option_values.set(choice)
            is_changed = True
    if "variants" in record.unsaid:
        return is_changed
    return _take_off_sale(unnamed.values()) or is_changed


def describe_variant(
    variant: VariantRecord,
    row: ProductVariant,
    *,
    sku: str,
    position: int,
    pictures: Mapping[str, ProductImage],
) -> dict[str, Any]:
    """Return what the row shall hold; what the record leaves open stays as the row has it."""
    currency = settings.SHOP_CURRENCY
    picture = pictures.get(variant.image)
    low_stock_at = row.low_stock_at if variant.low_stock_at is None else variant.low_stock_at
    return {
        "sku": sku,
        "barcode": variant.barcode,
        "label": _make_label(variant.options),
        "price": quantize(variant.price, currency),
        "compare_at_price": None
        if variant.compare_at_price is None
        else quantize(variant.compare_at_price, currency),
        "cost": row.cost if variant.cost is None else quantize(variant.cost, currency),
        "weight_grams": variant.weight_grams,
        "image_id": picture.pk if picture else row.image_id,
        "is_active": variant.is_active,
        "tracks_stock": variant.tracks_stock,
        "low_stock_at": low_stock_at,
        "position": position,
    }


def _take_off_sale(rows: Iterable[ProductVariant]) -> bool:
    is_changed = False
    for row in rows:
        if assign(row, is_active=False):
            row.save(update_fields=["is_active"])
            is_changed = True
    return is_changed


def _refuse_foreign_skus(product: Product, skus: Sequence[str]) -> None:
    """Refuse SKUs of other products; nobody learns anything of another seller's."""
    other = (
        ProductVariant.objects.filter(sku__in=skus)
        .exclude(product=product)
        .select_related("product")
        .first()
    )
    if other and other.product.seller_id != product.seller_id:
        raise ProductRefused(
            _("The SKU %(sku)s is taken in this shop already; every variant needs its own.")
            % {"sku": other.sku},
            field="sku",
        )
    if other:
        raise ProductRefused(
            _("The SKU %(sku)s already belongs to “%(product)s”; every variant needs its own.")
            % {"sku": other.sku, "product": other.product.title},
            field="sku",
        )


def _make_sku(slug: str, options: Sequence[str]) -> str:
    words = "-".join(part for part in [slug, *(facts.make_facet(label) for label in options)])
    sku = words.upper()
    if len(sku) <= LONGEST_SKU:
        return sku
    return f"{sku[: LONGEST_SKU - 9]}-{hashlib.sha256(words.encode()).hexdigest()[:8].upper()}"


def _make_label(labels: Sequence[str]) -> str:
    return " / ".join(labels)[:250]


def get_code(record: AttributeRecord) -> str:
    return record.code or facts.make_code(record.name)


@inside_transaction
def get_attributes(records: Sequence[AttributeRecord]) -> dict[str, Attribute]:
    """Find the attributes by their codes; a new one takes its kind from its first values."""
    wanted = {get_code(record): record for record in records}
    found = {row.code: row for row in Attribute.objects.filter(code__in=wanted)}
    for code, record in wanted.items():
        if code not in found:
            kind, unit = facts.guess_kind(record.values)
            found[code], is_new = Attribute.objects.get_or_create(
                code=code,
                defaults={
                    "name": record.name,
                    "kind": record.kind or kind,
                    "unit": record.unit if record.kind else unit,
                    "is_filter": record.is_filter,
                    "position": record.position,
                },
            )
            if is_new:
                announce("attributes")
    return found
