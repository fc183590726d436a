"""What readers of product files share: how a row looks, what they yield, what they keep to.

A reader knows one format. `catalog.imports.sheets` unpacks and decodes a file, lays its rows on
disk and hands the reader the rows of one product at a time; so files of any length need little
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from django.utils.translation import gettext as _

from catalog.errors import ProductRefused
from catalog.record_rules import check_variant
from catalog.records import ProductRecord, VariantRecord

LONGEST_HANDLE = 255


class UnreadableFile(Exception):
    """The file as a whole cannot be read; the text says why and what to do."""


class RowRefused(Exception):
    """A row cannot be used; the reader goes on with the next one."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


@dataclass(frozen=True, slots=True)
class Finding:
    """A place in the file, by the line on which the row begins, and what is to be said about it.

    A remark says what was made of something that went in all the same; everything else names what
    was left out. Line 0 is the file as a whole.
    """

    line: int
    handle: str
    column: str
    message: str
    is_remark: bool = False

    def __str__(self) -> str:
        line = f"line {self.line}" if self.line else ""
        where = ", ".join(part for part in (line, self.handle, self.column) if part)
        return f"{where}: {self.message}" if where else self.message


@dataclass(frozen=True, slots=True)
class ReadProduct:
    """A product that can be saved. It is whole unless rows of it were refused.

    `seller` is the slug of whose product it is, where a file says so. A variant that the rows no
    longer name is taken off sale only when the product is whole.
    """

    record: ProductRecord
    line: int
    is_whole: bool = True
    seller: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row by the reader's own names of the columns; a missing cell is empty.

    `line` is where the row begins, the header being line 1.
    """

    line: int
    cells: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")


class Reader:
    """Makes products of rows. A subclass knows one format; it keeps nothing between products.

    That is what lets an import go on in the middle of a file.
    """

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The reader's own names of columns, with the titles that files give them (in any case)."""
    needed: ClassVar[tuple[str, ...]] = ()
    """Without these columns (own names) it is no file of this format."""
    advice: ClassVar[str] = ""
    """What to do about a file of another format, a sentence to be translated."""
    fields: ClassVar[Mapping[str, str]] = {}
    """Which column (own name) a field named in `ProductRefused` comes from."""
    is_trimmed: ClassVar[bool] = True
    """Whether space around a cell is dropped."""
    may_be_apart: ClassVar[bool] = False
    """Whether rows of other products commonly stand between those of one."""

    def __init__(
        self, columns: Mapping[str, str], find_first: Callable[[str], int] = lambda mark: 0
    ) -> None:
        """`columns` maps own names to titles; `find_first` says on which line a mark first is.

        0 for no line.
        """
        self.columns = columns
        self.find_first = find_first

    @classmethod
    def adopt(cls, title: str) -> str:
        """Give a column that `aliases` does not know a name of its own; "" leaves it unread."""
        return ""

    def key(self, row: Row) -> str:
        """Name the product that a row belongs to. Raises `RowRefused`."""
        raise NotImplementedError  # Only a reader of one format knows.

    def handle(self, row: Row) -> str:
        """Name a row's product in findings, as its owner knows it."""
        return row["handle"]

    def names(self, row: Row) -> Sequence[str]:
        """Name what other rows may call this row's product instead of its key."""
        return ()

    def marks(self, row: Row) -> Sequence[str]:
        """Name what should be in the file only once, such as its SKU; see `find_first`."""
        return ()

    def read(self, rows: Sequence[Row]) -> Iterator[ReadProduct | Finding]:
        """Make at most one product of its rows, in the file's order, with findings before it."""
        raise NotImplementedError  # Only a reader of one format knows.

    def title(self, column: str) -> str:
        """Call a column as this file does, or as most files do when this one has none."""
        return self.columns.get(column) or next(iter(self.aliases.get(column, ())), "")

    def title_of_field(self, name: str) -> str:
        """Call the column that a field of a product record comes from."""
        return self.title(self.fields.get(name, ""))

    def refuse(self, row: Row, handle: str, refusal: RowRefused) -> Finding:
        title = self.title(refusal.column)
        return Finding(row.line, handle[:LONGEST_HANDLE], title, refusal.message)

    def remark(self, row: Row, handle: str, column: str, message: str) -> Finding:
        title = self.title(column)
        return Finding(row.line, handle[:LONGEST_HANDLE], title, message, is_remark=True)

    def check(self, variant: VariantRecord) -> VariantRecord:
        """Return the variant if it makes sense by itself. Raises `RowRefused`."""
        try:
            check_variant(variant)
        except ProductRefused as refusal:
            raise RowRefused(self.fields.get(refusal.field, ""), str(refusal)) from None
        return variant


def refuse_rest(refusal: RowRefused, rows: Sequence[Row]) -> RowRefused:
    """Say of a product refused for its first row how many other rows go with it."""
    rest = len(rows) - 1
    if not rest:
        return refusal
    words = _("Its %(count)d other rows were left out too.") % {"count": rest}
    return RowRefused(refusal.column, f"{refusal.message} {words}")
