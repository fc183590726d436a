"""Reads single cells of foreign tables: amounts, whole numbers, texts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django.utils.translation import gettext as _

from catalog.imports.tables import Row


class RowRefused(Exception):
    """A row cannot be used; the reader goes on with the next one."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


def _read_number(row: Row, column: str) -> Decimal | None:
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


def read_amount(row: Row, column: str) -> Decimal | None:
    """Read an amount, None for an empty cell. Raises `RowRefused`."""
    amount = _read_number(row, column)
    if amount is not None and amount < 0:
        raise RowRefused(column, _("An amount cannot be negative."))
    return amount


def read_whole(row: Row, column: str, *, may_be_negative: bool = False) -> int | None:
    """Read a whole number, rounding half up, None for an empty cell. Raises `RowRefused`."""
    number = _read_number(row, column)
    if number is None:
        return None
    if number < 0 and not may_be_negative:
        raise RowRefused(column, _("This number cannot be negative."))
    return int(number.to_integral_value(rounding=ROUND_HALF_UP))


def unquote(cell: str) -> str:
    """Drop the apostrophe that spreadsheets write before numbers which are text."""
    return cell.removeprefix("'").strip()
