"""Reads a CSV file as rows that know their line, whatever wrote it."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from catalog.imports.report import UnreadableFile

MOST_BYTES = 100 * 1024 * 1024
LONGEST_CELL = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row by the reader's own names of the columns; a missing cell is empty."""

    line: int
    cells: Mapping[str, str]
    surplus: int = 0

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")

    @property
    def is_blank(self) -> bool:
        return not any(self.cells.values()) and not self.surplus


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` maps the reader's own names to what the file calls them."""

    columns: Mapping[str, str]
    rows: tuple[Row, ...]


def read_table(content: bytes, *, aliases: Mapping[str, tuple[str, ...]]) -> Table:
    """Read a whole CSV file; `aliases` maps the reader's column names to those found in files.

    Raises `UnreadableFile` when it is not UTF-8 or a quotation mark is left open.
    """
    text = _decode(content)
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
        columns = _match_columns(header, aliases)
        rows = tuple(_read_rows(reader, header, columns))
    except csv.Error as error:
        raise UnreadableFile(
            _(
                "Near line %(line)d the file is no valid CSV (%(error)s). Often a quotation mark is "
                "left open there; close it, or export the file again."
            )
            % {"line": reader.line_num, "error": error}
        ) from error
    return Table(columns=columns, rows=rows)


def _decode(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise UnreadableFile(_("The file is larger than 100 MB. Please split it."))
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding).replace("\x00", "")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            _(
                "The file is not UTF-8: line %(line)d holds a byte that means nothing there. Save it "
                "as “CSV UTF-8” in your spreadsheet, or export it again."
            )
            % {"line": line}
        ) from None


def _match_columns(header: list[str], aliases: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    present = {" ".join(title.split()).casefold(): title for title in header}
    columns = {}
    for name, titles in aliases.items():
        for title in titles:
            if title.casefold() in present:
                columns[name] = present[title.casefold()]
                break
    return columns


def _read_rows(
    reader: Iterator[list[str]], header: list[str], columns: Mapping[str, str]
) -> Iterator[Row]:
    places = {name: header.index(title) for name, title in columns.items()}
    begins = reader.line_num + 1  # type: ignore[attr-defined]
    for cells in reader:
        yield Row(
            line=begins,
            cells={
                name: cells[place].strip() for name, place in places.items() if place < len(cells)
            },
            surplus=max(0, len(cells) - len(header)),
        )
        begins = reader.line_num + 1  # type: ignore[attr-defined]
