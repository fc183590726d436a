"""Reads single cells of foreign tables: amounts, whole numbers, lists, ways through categories."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django.utils.text import slugify
from django.utils.translation import gettext as _

from catalog.facts import make_facet
from catalog.imports.reading import Row, RowRefused
from catalog.records import AttributeRecord, CategoryStep

DEEPEST = 6
LONGEST_STEP = 90


def read_amount(row: Row, column: str) -> Decimal | None:
    """Read an amount, None for an empty cell. Raises `RowRefused`."""
    amount = read_number(row, column)
    if amount is not None and amount < 0:
        raise RowRefused(column, _("An amount cannot be negative."))
    return amount


def read_whole(row: Row, column: str, *, may_be_negative: bool = False) -> int | None:
    """Read a whole number, rounding half up, None for an empty cell. Raises `RowRefused`."""
    number = read_number(row, column)
    if number is None:
        return None
    if number < 0 and not may_be_negative:
        raise RowRefused(column, _("This number cannot be negative."))
    return int(number.to_integral_value(rounding=ROUND_HALF_UP))


def read_number(row: Row, column: str) -> Decimal | None:
    """Read any finite number, None for an empty cell. Raises `RowRefused`."""
    cell = row[column].replace("\u00a0", "").replace(" ", "")
    if not cell:
        return None
    try:
        number = Decimal(cell)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= Decimal("1e12"):
        raise RowRefused(
            column, _("“%(cell)s” is not a number; write it like 12.50.") % {"cell": cell[:40]}
        )
    return number


def read_list(cell: str, separator: str = ",") -> tuple[str, ...]:
    """Read words with a separator between them, each once."""
    parts = (" ".join(part.split()) for part in cell.split(separator))
    return tuple(dict.fromkeys(part for part in parts if part))


def read_category(cell: str) -> tuple[CategoryStep, ...]:
    """Read a way through the categories, written as "Home > Kitchen"."""
    steps = [name for name in read_list_in_order(cell, ">") if not name.isdigit()]
    return tuple(CategoryStep(make_slug(name), name) for name in steps[:DEEPEST])


def read_list_in_order(cell: str, separator: str) -> list[str]:
    """Read words with a separator between them, however often one comes."""
    return [part for part in (" ".join(part.split()) for part in cell.split(separator)) if part]


def make_slug(name: str) -> str:
    return slugify(name)[:LONGEST_STEP].strip("-") or f"c-{make_facet(name)[:12]}"


def each_once(attributes: Iterable[AttributeRecord]) -> tuple[AttributeRecord, ...]:
    """Keep the first of several facts that would be one attribute."""
    found: dict[str, AttributeRecord] = {}
    for attribute in attributes:
        found.setdefault(make_facet(attribute.name)[:60], attribute)
    return tuple(found.values())


def is_true(cell: str) -> bool:
    return cell.lower() in {"true", "yes", "1"}


def unquote(cell: str) -> str:
    """Drop the apostrophe that spreadsheets write before numbers which are text."""
    return cell.removeprefix("'").strip()
