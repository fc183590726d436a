"""Writes what an import has to say as a CSV that opens in a spreadsheet and runs nothing there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from catalog.imports.reading import Finding
from catalog.models import ImportFinding
from catalog.product_csv import neutralise

MARK = "\ufeff"
"""Spreadsheets take a file for UTF-8 when it begins with this."""


def write_report(findings: Iterable[Finding | ImportFinding]) -> Iterator[str]:
    """Write a line per finding, after a header; cells that look like formulas are made harmless."""
    yield MARK + _write(
        [_("Line"), _("Product"), _("Column"), _("What became of it"), _("Message")]
    )
    for each in findings:
        cells = [
            str(each.line or ""),
            each.handle,
            each.column,
            _("taken, with a remark") if each.is_remark else _("left out"),
            each.message,
        ]
        yield _write([neutralise(cell) for cell in cells])


def _write(cells: list[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
