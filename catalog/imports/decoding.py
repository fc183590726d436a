"""Finds the text in a file's bytes: unpacks gzip, tells encodings apart, refuses what is no text."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.utils.translation import gettext as _

from catalog.imports.reading import UnreadableFile

MEGABYTE = 1024 * 1024
MOST_BYTES = 1024 * MEGABYTE
"""Of the unpacked file: a gzip bomb ends here."""
BLOCK = 1024 * 1024
SAMPLE = 64 * 1024
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
PACKED = {
    b"PK\x03\x04": "XLSX/ZIP",
    b"\xd0\xcf\x11\xe0": "XLS",
    b"%PDF": "PDF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BZh": "BZIP2",
    b"\xfd7zXZ": "XZ",
    b"(\xb5/\xfd": "ZSTD",
}
WESTERN = "cp1252"


@contextmanager
def open_text(
    file: IO[bytes], *, most_bytes: int = MOST_BYTES
) -> Iterator[tuple[io.TextIOWrapper, str]]:
    """Give the file as text, line ends untouched, and the name of its encoding.

    The bytes are gone through once before, so that a file that turns out to be unreadable at its
    end is refused before its beginning is used. Raises `UnreadableFile`.
    """
    file.seek(0)
    is_packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    content: Any = gzip.GzipFile(fileobj=file) if is_packed else _Borrowed(file)
    with content:
        encoding = _find_encoding(content, most_bytes)
        content.seek(0)
        text = io.TextIOWrapper(content, encoding=encoding, newline="")
        try:
            yield text, encoding
        finally:
            text.detach()


class _Borrowed(io.RawIOBase):
    """A file that stays open when whoever borrowed it closes."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    # The types allow every kind of buffer; `RawIOBase.read` passes one with a length and slices.
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self.file.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _find_encoding(content: IO[bytes], most_bytes: int) -> str:
    """Decode everything once; UTF-8 unless the file says or shows something else."""
    try:
        start = _read_block(content, SAMPLE)
        _refuse_other_kinds(start)
        encoding = _guess(start)
        content.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        lines, is_plain, size = 1, True, 0
        while block := _read_block(content, BLOCK):
            size += len(block)
            _refuse_longer(size, most_bytes)
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError as error:
                # `error.object` is the block with what was left over of the one before.
                before = error.object[: error.start]
                if encoding == "utf-8" and is_plain and before.isascii():
                    return _accept_western(content, most_bytes)
                raise _no_text(lines + before.count(b"\n")) from None
            is_plain = is_plain and text.isascii()
            lines += text.count("\n")
        if decoder.getstate()[0]:
            raise _no_text(lines)
    except (OSError, EOFError, zlib.error):
        raise UnreadableFile(
            _("The gzip file is damaged or was not sent whole. Pack it again.")
        ) from None
    return encoding


def _accept_western(content: IO[bytes], most_bytes: int) -> str:
    """Take what is no UTF-8 and never was for Windows' Western code page, if it can be."""
    content.seek(0)
    decoder = codecs.getincrementaldecoder(WESTERN)()
    lines, size = 1, 0
    while block := _read_block(content, BLOCK):
        size += len(block)
        _refuse_longer(size, most_bytes)
        try:
            lines += decoder.decode(block).count("\n")
        except UnicodeDecodeError as error:
            raise _no_text(lines + error.object[: error.start].count(b"\n")) from None
    return WESTERN


def _refuse_longer(size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise UnreadableFile(
            _("Unpacked, the file is larger than %(count)d MB. Please split it.")
            % {"count": most_bytes // MEGABYTE}
        )


def _read_block(content: IO[bytes], size: int) -> bytes:
    return content.read(size) or b""


def _refuse_other_kinds(start: bytes) -> None:
    for mark, kind in PACKED.items():
        if start.startswith(mark):
            raise UnreadableFile(
                _("This is a %(kind)s file, no CSV. Save it as “CSV UTF-8” in your spreadsheet.")
                % {"kind": kind}
            )


def _guess(start: bytes) -> str:
    """Name the encoding that the first bytes show; UTF-16 without a mark has a NUL in each pair."""
    for mark, encoding in MARKS.items():
        if start.startswith(mark):
            return encoding
    pairs = len(start) // 2
    if pairs > 8:
        if start[1::2].count(0) > pairs * 0.4 and start[0::2].count(0) < pairs * 0.05:
            return "utf-16-le"
        if start[0::2].count(0) > pairs * 0.4 and start[1::2].count(0) < pairs * 0.05:
            return "utf-16-be"
    return "utf-8"


def _no_text(line: int) -> UnreadableFile:
    return UnreadableFile(
        _(
            "The file is not UTF-8: line %(line)d holds a byte that means nothing there. Save it "
            "as “CSV UTF-8” in your spreadsheet, or export it again."
        )
        % {"line": line}
    )
