"""Reads a CSV file into rows on disk and gives them back product by product.

Rows of one product may stand far apart, and what a file breaks at its end must be known before its
beginning is saved. So all rows first go into a temporary SQLite database, which nobody else sees
and which the operating system forgets; memory holds one product at a time.
"""

from __future__ import annotations

import csv
import json
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import IO, TextIO

from django.utils.translation import gettext as _

from catalog.imports import decoding
from catalog.imports.lines import Lines
from catalog.imports.reading import (
    Finding,
    Reader,
    ReadProduct,
    Row,
    RowRefused,
    UnreadableFile,
)

LONGEST_CELL = 1_000_000
MOST_COLUMNS = 2_000
MOST_ROWS_OF_PRODUCT = 5_000
BATCH = 1_000

_SCHEMA = """
CREATE TABLE row (number INTEGER PRIMARY KEY, line INTEGER, key TEXT, cells TEXT);
CREATE TABLE name (name TEXT PRIMARY KEY, key TEXT) WITHOUT ROWID;
CREATE TABLE mark (mark TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID;
CREATE TABLE broken (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE finding (line INTEGER, handle TEXT, title TEXT, message TEXT, is_remark INTEGER);
"""
_GROUP = """
UPDATE row SET key = (SELECT name.key FROM name WHERE name.name = row.key)
    WHERE key IN (SELECT name FROM name);
CREATE INDEX row_key ON row (key, number);
CREATE TABLE product AS
    SELECT row_number() OVER (ORDER BY min(number)) AS number, key, count(*) AS rows,
           min(line) AS first
    FROM row GROUP BY key;
CREATE INDEX product_number ON product (number);
"""


@dataclass(frozen=True, slots=True)
class ReadGroup:
    """All that a reader made of the rows of one product; `number` counts from 1.

    Group 0 holds what was found before any product was read.
    """

    number: int
    product: ReadProduct | None = None
    findings: tuple[Finding, ...] = ()
    rows: int = 0


@dataclass
class Sheet:
    """A file whose rows lie on disk. `total` is how many products it seems to have."""

    reader: Reader
    database: sqlite3.Connection
    encoding: str
    total: int = 0
    rows: int = 0
    notes: list[Finding] = field(default_factory=list)

    def read(self, *, after: int = -1) -> Iterator[ReadGroup]:
        """Read group after group, beginning behind the one with the number `after`."""
        if after < 0:
            yield self._read_preface()
        products = self.database.execute(
            "SELECT number, key, rows, first FROM product WHERE number > ? ORDER BY number", [after]
        )
        for number, key, count, first in products:
            if count > MOST_ROWS_OF_PRODUCT:
                finding = Finding(
                    first,
                    key[:80],
                    "",
                    _("%(count)d rows belong to this product; 5,000 are the most.")
                    % {"count": count},
                )
                yield ReadGroup(number, None, (finding,), count)
                continue
            yield self._read_product(number, key)

    def _read_preface(self) -> ReadGroup:
        rows = self.database.execute("SELECT * FROM finding ORDER BY line")
        findings = [
            Finding(line, handle, title, message, is_remark=bool(is_remark))
            for line, handle, title, message, is_remark in rows
        ]
        return ReadGroup(0, None, (*self.notes, *findings))

    def _read_product(self, number: int, key: str) -> ReadGroup:
        found = self.database.execute(
            "SELECT number, line, cells FROM row WHERE key = ? ORDER BY number", [key]
        ).fetchall()
        rows = [Row(line, json.loads(cells)) for _number, line, cells in found]
        is_broken = self.database.execute("SELECT 1 FROM broken WHERE key = ?", [key]).fetchone()
        product: ReadProduct | None = None
        findings: list[Finding] = []
        for item in self.reader.read(rows):
            if isinstance(item, ReadProduct):
                product = replace(item, is_whole=item.is_whole and not is_broken)
            else:
                findings.append(item)
        if product and not self.reader.may_be_apart:
            findings += _find_gap(found, product.record.handle)
        return ReadGroup(number, product, tuple(findings), len(rows))


def _find_gap(rows: list[tuple[int, int, str]], handle: str) -> list[Finding]:
    """Say where the rows of a product go on after another one's."""
    for (number, line, _cells), (next_number, next_line, _next) in pairwise(rows):
        if next_number != number + 1:
            message = _(
                "The product goes on here after line %(line)d, with others between; its rows were "
                "taken together."
            )
            return [Finding(next_line, handle, "", message % {"line": line}, is_remark=True)]
    return []


@contextmanager
def open_sheet(
    file: IO[bytes], reader_class: type[Reader], *, most_bytes: int = decoding.MOST_BYTES
) -> Iterator[Sheet]:
    """Lay a file's rows on disk, as a reader wants them. Raises `UnreadableFile`."""
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        database = sqlite3.connect(Path(folder) / "rows.sqlite3", isolation_level=None)
        try:
            database.executescript(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192;"
                + _SCHEMA
            )
            with decoding.open_text(file, most_bytes=most_bytes) as (text, encoding):
                yield _lay_out(text, encoding, reader_class, database)
        finally:
            database.close()


def _lay_out(
    text: TextIO, encoding: str, reader_class: type[Reader], database: sqlite3.Connection
) -> Sheet:
    lines = Lines(text)
    first = lines.peek()
    delimiter = max(",;\t", key=first.count)
    cells = lines.cut(delimiter)
    try:
        header = next(cells, [])
    except csv.Error:
        header = []
    if len(header) > MOST_COLUMNS:
        raise UnreadableFile(
            _("The file has more than 2,000 columns; this is no list of products.")
        )
    columns, places = _match_columns(header, reader_class)
    missing = [name for name in reader_class.needed if name not in columns]
    if missing:
        titles = ", ".join(reader_class.aliases[name][0] for name in missing)
        raise UnreadableFile(
            " ".join(
                part
                for part in (
                    _("The column %(columns)s is missing.") % {"columns": titles},
                    _(reader_class.advice) if reader_class.advice else "",
                )
                if part
            )
        )
    sheet = Sheet(
        reader=reader_class(columns, lambda mark: _find_first(database, mark)),
        database=database,
        encoding=encoding,
    )
    if encoding == decoding.WESTERN:
        message = _(
            "The file is not UTF-8 and was read as Windows-1252. If letters such as é or ß look "
            "wrong, save it as “CSV UTF-8” and import it again."
        )
        sheet.notes.append(Finding(0, "", "", message, is_remark=True))
    _Loader(sheet, lines, header, places).load(cells)
    return sheet


def _find_first(database: sqlite3.Connection, mark: str) -> int:
    if not mark:
        return 0
    found = database.execute("SELECT line FROM mark WHERE mark = ?", [mark]).fetchone()
    return found[0] if found else 0


class _Loader:
    """Puts the rows of a file into the sheet, and findings about those that cannot be read."""

    def __init__(self, sheet: Sheet, lines: Lines, header: list[str], places: Mapping[str, int]):
        self.sheet = sheet
        self.reader = sheet.reader
        self.database = sheet.database
        self.lines = lines
        self.header = header
        self.places = places
        self.rows: list[tuple[int, int, str, str]] = []
        self.marks: list[tuple[str, int]] = []
        self.names: list[tuple[str, str]] = []
        self.last_key = ""

    def load(self, cells: Iterator[list[str]]) -> None:
        self.database.execute("BEGIN")
        for line, found in self._read_lines(cells):
            if self.lines.take_nul():
                self._note(line, "", "", _("A character that no text can hold was left out (NUL)."))
            if any(found):
                self._load_row(line, found)
            if len(self.rows) >= BATCH:
                self._write()
        self._write()
        self.database.execute("COMMIT")
        self.database.executescript(_GROUP)
        self.sheet.rows, self.sheet.total = self.database.execute(
            "SELECT (SELECT count(*) FROM row), (SELECT count(*) FROM product)"
        ).fetchone()

    def _read_lines(self, cells: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
        """Give rows with the line on which they begin; a row with a stray quotation mark is left."""
        while True:
            begins = self.lines.number + 1
            self.lines.begin_row()
            try:
                yield begins, next(cells)
            except StopIteration:
                return
            except csv.Error as error:
                if self.lines.is_over or "field larger" in str(error):
                    raise UnreadableFile(
                        _(
                            "A quotation mark is opened in the row that begins on line %(line)d and "
                            "never closed. Close it, or export the file again."
                        )
                        % {"line": begins}
                    ) from None
                self._refuse(
                    begins,
                    "",
                    "",
                    _(
                        "A quotation mark stands where none may be. Inside a quoted cell write two of "
                        'them: "".'
                    ),
                )
                self._break(self.last_key)

    def _load_row(self, line: int, found: list[str]) -> None:
        limit = len(self.header)
        trim = str.strip if self.reader.is_trimmed else str
        cells = {
            name: cell
            for name, place in self.places.items()
            if place < len(found) and (cell := trim(found[place]))
        }
        row = Row(line, cells)
        try:
            self.last_key = key = self.reader.key(row)
        except RowRefused as refusal:
            if cells:
                title = self.reader.title(refusal.column)
                self._refuse(line, self.reader.handle(row)[:80], title, refusal.message)
            return
        handle = self.reader.handle(row)[:80]
        longest = max(range(len(found)), key=lambda place: len(found[place]))
        if any(found[limit:]):
            message = _("The row has more cells than the header; a quotation mark is missing.")
            self._refuse(line, handle, "", message)
            self._break(key)
        elif len(found[longest]) > LONGEST_CELL:
            message = _("The cell has %(count)d characters; 1,000,000 are the most.")
            message %= {"count": len(found[longest])}
            self._refuse(line, handle, self.header[longest].strip()[:80], message)
            self._break(key)
        else:
            self.sheet.rows += 1
            self.rows.append((self.sheet.rows, line, key, json.dumps(cells, ensure_ascii=False)))
            self.marks += [(mark, line) for mark in self.reader.marks(row) if mark]
            self.names += [(name, key) for name in self.reader.names(row) if name]

    def _break(self, key: str) -> None:
        """Remember that a row of this product is missing."""
        self.database.execute("INSERT OR IGNORE INTO broken VALUES (?)", [key])

    def _refuse(self, line: int, handle: str, title: str, message: str) -> None:
        self._find(Finding(line, handle, title, message))

    def _note(self, line: int, handle: str, title: str, message: str) -> None:
        self._find(Finding(line, handle, title, message, is_remark=True))

    def _find(self, finding: Finding) -> None:
        self.database.execute(
            "INSERT INTO finding VALUES (?, ?, ?, ?, ?)",
            [finding.line, finding.handle, finding.column, finding.message, finding.is_remark],
        )

    def _write(self) -> None:
        self.database.executemany("INSERT INTO row VALUES (?, ?, ?, ?)", self.rows)
        self.database.executemany("INSERT OR IGNORE INTO mark VALUES (?, ?)", self.marks)
        self.database.executemany("INSERT OR IGNORE INTO name VALUES (?, ?)", self.names)
        self.rows.clear()
        self.marks.clear()
        self.names.clear()


def _match_columns(
    header: list[str], reader_class: type[Reader]
) -> tuple[dict[str, str], dict[str, int]]:
    """Find the titles and the places of the columns that a reader knows, by its own names."""
    present: dict[str, int] = {}
    for place, title in enumerate(header):
        present.setdefault(" ".join(title.split()).casefold(), place)
    places: dict[str, int] = {}
    for name, titles in reader_class.aliases.items():
        for title in titles:
            if title.casefold() in present:
                places[name] = present[title.casefold()]
                break
    known = set(places.values())
    for place, title in enumerate(header):
        name = reader_class.adopt(" ".join(title.split()))
        if name and place not in known:
            places.setdefault(name, place)
    return {name: header[place].strip() for name, place in places.items()}, places
