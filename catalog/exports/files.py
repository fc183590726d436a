"""Writes a whole export as text, piece by piece, so that files of any length need little memory."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import IO, Protocol

from catalog.exports import pages
from catalog.exports.emporium import EmporiumWriter
from catalog.exports.pages import EVERYTHING, Choice, OwnedProduct
from catalog.exports.shopify import ShopifyWriter

PRODUCTS_AT_ONCE = 200
MARK = "\ufeff"
"""The byte order mark, by which spreadsheets know UTF-8."""
Progress = Callable[[int, int], None]


class Writer(Protocol):
    def header(self) -> list[str]: ...

    def rows(self, product: OwnedProduct) -> Iterator[list[str]]: ...


WRITERS: Mapping[str, Callable[[int], Writer]] = {
    "emporium": EmporiumWriter,
    "shopify": ShopifyWriter,
}


def write(
    choice: Choice = EVERYTHING,
    *,
    format: str = "emporium",
    progress: Progress = lambda done, total: None,
) -> Iterator[str]:
    """Give the text of an export in pieces, all of one moment in the database."""
    with pages.snapshot():
        total = pages.count(choice)
        writer = WRITERS[format](pages.count_axes())
        yield MARK + to_text([writer.header()])
        done = 0
        found = pages.read(choice)
        while products := list(islice(found, PRODUCTS_AT_ONCE)):
            yield to_text([row for product in products for row in writer.rows(product)])
            done += len(products)
            progress(done, total)


def save(file: IO[bytes], pieces: Iterator[str], *, is_packed: bool) -> None:
    """Write pieces of text into a file, packed by gzip if asked for."""
    if is_packed:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
            for piece in pieces:
                packed.write(piece.encode())
    else:
        for piece in pieces:
            file.write(piece.encode())


def to_text(rows: list[list[str]]) -> str:
    """Write rows as CSV lines, quoting what needs it."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
