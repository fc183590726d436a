"""Writes the shop's own product CSV: a row for each variant, what the product says on its first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from functools import lru_cache

from django.conf import settings
from django.utils.text import slugify

from catalog import facts
from catalog.exports.pages import OwnedProduct
from catalog.product_csv import (
    AXES,
    BETWEEN,
    BETWEEN_DETAILS,
    BETWEEN_STEPS,
    LABEL_LIKE_SWATCH,
    NO,
    YES,
    escape,
    list_columns,
    neutralise,
    option_columns,
    write_list,
)
from catalog.records import (
    AttributeRecord,
    CategoryStep,
    ImageRecord,
    OptionRecord,
    ProductRecord,
    VariantRecord,
)

SHORT_STEP = 90
"""A slug that follows from a name is at most so long."""
Cells = dict[str, str]
"""The cells of a row that are not empty, by the names of their columns."""


class EmporiumWriter:
    """Turns products into rows; `axes` is how many options the product with the most has."""

    def __init__(self, axes: int) -> None:
        self.columns = list_columns(max(axes, AXES))

    def header(self) -> list[str]:
        return list(self.columns.values())

    def rows(self, product: OwnedProduct) -> Iterator[list[str]]:
        record = product.record
        cells = _describe_product(record, product.seller)
        for variant in record.variants:
            yield self._lay_out(cells | _describe_variant(variant))
            cells = {"handle": record.handle}
        if not record.variants:
            yield self._lay_out(cells | {"is_active": NO})

    def _lay_out(self, cells: Cells) -> list[str]:
        return [neutralise(cells.get(name, "")) for name in self.columns]


def _describe_product(record: ProductRecord, seller: str) -> Cells:
    cells = {
        "handle": record.handle,
        "title": record.title,
        "seller": seller,
        "status": record.status.value,
        "published_at": record.published_at.astimezone(UTC).isoformat()
        if record.published_at
        else "",
        "category": f" {BETWEEN_STEPS} ".join(
            _write_step(step, BETWEEN_STEPS) for step in record.category
        ),
        "tax_class": record.tax_class,
        "short_description": record.short_description,
        "description": record.description,
        "care": record.care,
        "origin": record.origin,
        "tags": write_list(record.tags),
        "collections": f" {BETWEEN} ".join(
            _write_step(step, BETWEEN) for step in record.collections or ()
        ),
        "attributes": "\n".join(_write_fact(fact) for fact in record.attributes),
        "images": "\n".join(_write_image(image) for image in record.images),
        "seo_title": record.seo_title or "",
        "seo_description": record.seo_description or "",
    }
    for axis, option in enumerate(record.options, start=1):
        name, values, _value = option_columns(axis)
        cells[name], cells[values] = option.name, _write_choices(option)
    return cells


@lru_cache(maxsize=4096)
def _write_step(step: CategoryStep, sign: str) -> str:
    """Write a name, with its slug where that does not follow from the name."""
    name = escape(step.name, signs=f"{sign}[")
    if step.slug == slugify(step.name) and len(step.slug) <= SHORT_STEP:
        return name
    return f"{name} [{step.slug}]"


def _describe_variant(variant: VariantRecord) -> Cells:
    cells = {
        "sku": variant.sku,
        "price": _write_number(variant.price),
        "compare_at_price": _write_number(variant.compare_at_price),
        "cost": _write_number(variant.cost),
        "currency": settings.SHOP_CURRENCY,
        "weight_grams": _write_number(variant.weight_grams),
        "barcode": variant.barcode,
        "tracks_stock": _write_flag(variant.tracks_stock),
        "stock": _write_number(variant.stock),
        "low_stock_at": _write_number(variant.low_stock_at),
        "is_active": _write_flag(variant.is_active),
        "variant_image": variant.image,
    }
    for axis, label in enumerate(variant.options, start=1):
        cells[option_columns(axis)[2]] = label
    return cells


def _write_number(number: Decimal | int | None) -> str:
    return "" if number is None else f"{number:f}" if isinstance(number, Decimal) else str(number)


def _write_flag(flag: bool) -> str:
    return YES if flag else NO


def _write_choices(option: OptionRecord) -> str:
    """Write all values of an option in their order, each with its colour if it has one."""
    return f" {BETWEEN} ".join(_write_choice(each.label, each.swatch) for each in option.values)


def _write_choice(label: str, swatch: str | None) -> str:
    words = escape(label, signs=BETWEEN)
    if LABEL_LIKE_SWATCH.search(words):
        words = words.replace("#", "\\#")
    return f"{words} {swatch or ''}".rstrip(" ")


def _write_fact(fact: AttributeRecord) -> str:
    """Write one line: name, what kind of fact it is, and the values."""
    return f"{_write_attribute(replace(fact, values=()))}: {write_list(fact.values)}"


@lru_cache(maxsize=4096)
def _write_attribute(fact: AttributeRecord) -> str:
    details = [fact.kind.value if fact.kind else ""]
    if fact.unit:
        details.append(f"unit={fact.unit}")
    if not fact.is_filter:
        details.append("filter=no")
    if fact.position:
        details.append(f"position={fact.position}")
    if fact.code and fact.code != facts.make_code(fact.name):
        details.append(f"code={fact.code}")
    name = escape(fact.name, signs="[:")
    stated = write_list((each for each in details if each), sign=BETWEEN_DETAILS, signs="]")
    return f"{name} [{stated}]" if stated else name


def _write_image(image: ImageRecord) -> str:
    source = image.source.replace(" ", "%20")
    return f"{source} {escape(image.alt, signs='')}".rstrip(" ")
