"""Gives the lines of a CSV file to Python's reader, counted and bounded."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

LONGEST_QUOTE = 32 * 1024 * 1024
"""No row has so many letters; a quotation left open would swallow the rest of the file."""


class Lines:
    """The lines of a text, counted, without what no database can hold.

    Of one row no more is read than memory may hold, on one line or on many.
    """

    def __init__(self, text: TextIO) -> None:
        self.text = text
        self.waiting: list[str] = []
        self.number = 0
        self.size = 0
        self.is_over = False
        self.has_nul = False

    def peek(self) -> str:
        line = self.text.readline(LONGEST_QUOTE + 1)
        self.waiting.append(line)
        return line

    def cut(self, delimiter: str) -> Iterator[list[str]]:
        """Give row after row; raises `csv.Error` at a quotation mark that stands wrong."""
        csv.field_size_limit(LONGEST_QUOTE)
        return csv.reader(self, delimiter=delimiter, strict=True)

    def begin_row(self) -> None:
        self.size = 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self.waiting.pop() if self.waiting else self.text.readline(LONGEST_QUOTE + 1)
        if not line:
            self.is_over = True
            raise StopIteration
        self.number += 1
        self.size += len(line)
        if self.size > LONGEST_QUOTE:
            raise csv.Error("field larger than a row may be")
        if "\x00" in line:
            self.has_nul = True
            return line.replace("\x00", "")
        return line

    def take_nul(self) -> bool:
        """Say whether a NUL was dropped since this was asked last."""
        had_nul, self.has_nul = self.has_nul, False
        return had_nul
