from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Seller
from catalog.imports.reading import Finding, UnreadableFile
from catalog.imports.report import write_report
from catalog.models import ImportFinding, ImportRun
from catalog.services import import_runs, importing
from catalog.services.import_checkpoints import RunLost
from catalog.services.import_runs import Choices
from shop.errors import BusyError

MOST_LINES = 200
"""Of each kind of finding; the rest is in the admin, or in the file of --report."""


class Command(BaseCommand):
    help = (
        "Import products from a CSV file, plain or packed with gzip. Products are found again by "
        "handle or SKU, so importing twice changes nothing. A row that cannot be used is named, the "
        "rest goes in. An import that was interrupted goes on where it stopped when the same command "
        "is given again. Exits with 0 when the file was read, even if rows were refused, and with 1 "
        "when it could not be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--format", choices=sorted(importing.READERS), required=True, help="who wrote the file"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen and change nothing"
        )
        parser.add_argument(
            "--seller",
            metavar="SLUG",
            help="whose products they become; unless given, those whom the file names, else the "
            "first seller of the shop",
        )
        parser.add_argument(
            "--images-from",
            type=Path,
            metavar="FOLDER",
            help="where the pictures lie, named like the last part of their addresses; nothing is "
            "fetched from the network then",
        )
        parser.add_argument(
            "--no-images", action="store_true", help="leave the pictures as they are in the shop"
        )
        parser.add_argument(
            "--count-stock",
            action="store_true",
            help="set shelves that were counted before to the file's numbers, too",
        )
        parser.add_argument(
            "--from-start",
            action="store_true",
            help="begin anew even if an import of this file was interrupted",
        )
        parser.add_argument(
            "--report", type=Path, metavar="CSV", help="write what there is to say row by row here"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["images_from"]
        if folder and not folder.is_dir():
            raise CommandError(f"{folder} is not a folder. Give the one that holds the pictures.")
        choices = Choices(
            format=options["format"],
            recounts_stock=options["count_stock"],
            fetches_pictures=not (folder or options["no_images"]),
            follows_sellers=options["seller"] is None,
        )
        seller = self.find_seller(options["seller"])
        try:
            with options["file"].open("rb") as file:
                run = import_runs.describe(
                    file,
                    options["file"].name,
                    seller=seller,
                    choices=choices,
                    is_rehearsal=options["dry_run"],
                )
                findings = self.work(run, file, options)
        except OSError as error:
            raise CommandError(
                f"{options['file']} cannot be read: {error.strerror}. Check the path."
            ) from None
        if options["report"]:
            with options["report"].open("w", newline="", encoding="utf-8") as report:
                report.writelines(write_report(findings))

    def work(self, run: ImportRun, file: Any, options: dict[str, Any]) -> list[Finding]:
        findings: list[Finding] = []
        if not run.is_rehearsal:
            run = import_runs.begin(run, from_start=options["from_start"])
            if run.done > 0:
                begun = timezone.localtime(run.created_at)
                self.stdout.write(
                    f"Going on with the import begun on {begun:%d %b at %H:%M}: {run.done} of "
                    f"{run.total} products are done."
                )
        try:
            importing.work(
                run,
                file,
                images_from=options["images_from"],
                progress=Meter(self).show,
                notice=findings.append,
            )
        except UnreadableFile as error:
            raise CommandError(f"{options['file']}: {error}") from None
        except BusyError:
            raise CommandError(
                f"The shop was too busy after {run.done} products. Give the command again later; it "
                "goes on from there."
            ) from None
        except RunLost:
            raise CommandError(
                "The import was stopped, or another process goes on with it."
            ) from None
        except KeyboardInterrupt:
            raise CommandError(
                f"Interrupted after {max(run.done, 0)} of {run.total} products. Give the command "
                "again; it goes on from there."
            ) from None
        if run.pk:
            findings = [as_finding(row) for row in run.findings.order_by("line", "id")]
        self.print_report(run, findings)
        return findings

    def find_seller(self, slug: str | None) -> Seller:
        sellers = Seller.objects.order_by("pk")
        if slug is None:
            seller = sellers.first()
            if seller is None:
                raise CommandError("The shop has no seller yet. Add one in the admin first.")
            return seller
        seller = sellers.filter(slug=slug).first()
        if seller is None:
            known = ", ".join(sellers.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no seller {slug}. Sellers of this shop: {known}.")
        return seller

    def print_report(self, run: ImportRun, findings: list[Finding]) -> None:
        if self.stdout.isatty():
            self.stdout.write("")
        refused = sorted((each for each in findings if not each.is_remark), key=place)
        remarks = [each for each in findings if each.is_remark]
        self.print_findings("Note", remarks)
        self.print_findings("Refused", refused)
        if run.pictures_left_out:
            self.stdout.write(
                f"Pictures left out: {run.pictures_left_out}. Save them in a folder and import again "
                "with --images-from, or without --no-images to have them fetched."
            )
        waiting = run.pictures.count() if run.pk else 0
        if waiting:
            self.stdout.write(
                f"Pictures: {waiting} are being fetched in the background, while `manage.py relay` "
                "runs; those that cannot be had are named in the admin, under Imports."
            )
        changes = f"{run.created} created, {run.updated} updated, {run.unchanged} unchanged"
        self.stdout.write(
            f"Products: {changes}, {run.refused} refused. "
            f"Rows: {len(refused)} refused, {len(remarks)} noted."
        )
        if run.is_rehearsal:
            self.stdout.write("This was a dry run: nothing was changed.")

    def print_findings(self, label: str, findings: list[Finding]) -> None:
        for finding in findings[:MOST_LINES]:
            line = f"{label}: {finding}"
            self.stdout.write(self.style.WARNING(line) if label == "Refused" else line)
        if len(findings) > MOST_LINES:
            self.stdout.write(
                f"{label}: … and {len(findings) - MOST_LINES} more; --report FILE writes them all."
            )


class Meter:
    """Shows on a terminal how far an import is."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.began_at = time.monotonic()
        self.first: int | None = None

    def show(self, done: int, total: int) -> None:
        if not self.command.stdout.isatty():
            return
        if self.first is None:
            self.first = done
        seconds = max(time.monotonic() - self.began_at, 0.001)
        rate = (done - self.first) / seconds
        left = (
            f", {(total - done) / rate / 60:.0f} min left"
            if rate and total - done > 60 * rate
            else ""
        )
        self.command.stdout.write(
            f"\r{done} of {total} products, {rate:.0f} a second{left}   ", ending=""
        )
        self.command.stdout.flush()


def as_finding(row: ImportFinding) -> Finding:
    return Finding(row.line, row.handle, row.column, row.message, row.is_remark)


def place(finding: Finding) -> int:
    return finding.line
