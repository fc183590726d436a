from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Seller
from catalog.exports import files
from catalog.exports.pages import Choice


class Command(BaseCommand):
    help = (
        "Write products into a CSV file, all of one moment. The shop's own format (emporium, see "
        "docs/product-csv.md) holds everything, so that importing it into an empty shop gives the "
        "same catalogue, and into this one changes nothing. Exits with 1, and leaves no file, when "
        "it could not be written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--format",
            choices=sorted(files.WRITERS),
            default="emporium",
            help="for whom: this shop's own format unless given",
        )
        parser.add_argument(
            "--seller", metavar="SLUG", action="append", help="whose products; may be repeated"
        )
        parser.add_argument(
            "-o",
            "--output",
            type=Path,
            metavar="FILE",
            help="where to; packed when it ends in .gz; the standard output unless given",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        choice = Choice(sellers=self.find_sellers(options["seller"]))
        pieces = files.write(choice, format=options["format"], progress=self.show_progress)
        path: Path | None = options["output"]
        self.done = 0
        if path is None:
            self.print_out(pieces)
            return
        try:
            with replacing(path) as file:
                files.save(file, pieces, is_packed=path.suffix == ".gz")
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
        if self.is_watched():
            self.stderr.write()
        self.stdout.write(f"{self.done} products written to {path}.")

    def find_sellers(self, slugs: list[str] | None) -> list[int] | None:
        if not slugs:
            return None
        found = dict(Seller.objects.filter(slug__in=slugs).values_list("slug", "pk"))
        for slug in slugs:
            if slug not in found:
                known = ", ".join(Seller.objects.values_list("slug", flat=True)) or "none yet"
                raise CommandError(f"There is no seller {slug}. Sellers of this shop: {known}.")
        return list(found.values())

    def print_out(self, pieces: Iterator[str]) -> None:
        """Write to the standard output; a reader that has seen enough is no failure."""
        try:
            for piece in pieces:
                self.stdout.write(piece, ending="")
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def show_progress(self, done: int, total: int) -> None:
        self.done = done
        if self.is_watched():
            self.stderr.write(f"\r{done} of {total} products", style_func=str, ending="")

    def is_watched(self) -> bool:
        return bool(self.stderr.isatty())


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes the place of `path` only when everything is written."""
    if path.exists() and not path.is_file():  # A device or a pipe is written to as it is.
        with path.open("wb") as file:
            yield file
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(name, 0o666 & ~current_umask())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
