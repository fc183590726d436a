"""What a reader of foreign files found, and what it could not use."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.records import ProductRecord


class UnreadableFile(Exception):
    """The file as a whole cannot be read; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A place in the file, by the line on which the row begins, and what is to be said about it."""

    line: int
    handle: str
    column: str
    message: str

    def __str__(self) -> str:
        where = [f"line {self.line}", self.handle, self.column]
        return f"{', '.join(part for part in where if part)}: {self.message}"


@dataclass(frozen=True, slots=True)
class ReadProduct:
    record: ProductRecord
    line: int


@dataclass(frozen=True, slots=True)
class ReadFile:
    """Products that can be saved, rows that cannot (`refused`), and remarks on the rest."""

    products: tuple[ReadProduct, ...]
    refused: tuple[Finding, ...]
    remarks: tuple[Finding, ...]
