from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Seller
from catalog.imports.report import Finding, UnreadableFile
from catalog.services import importing
from catalog.services.importing import ImportReport
from catalog.services.publishing import Change


class Command(BaseCommand):
    help = (
        "Import products from another shop's file. Products are found again by handle or SKU, so "
        "importing twice changes nothing. A row that cannot be used is named, the rest goes in. "
        "Exits with 0 when the file was read, even if rows were refused, and with 1 when it could "
        "not be read."
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
            help="whose products they become; the first seller of the shop unless given",
        )
        parser.add_argument(
            "--images-from",
            type=Path,
            metavar="FOLDER",
            help="where the pictures lie, named like the last part of their addresses",
        )
        parser.add_argument(
            "--count-stock",
            action="store_true",
            help="set shelves that were counted before to the file's numbers, too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["images_from"]
        if folder and not folder.is_dir():
            raise CommandError(f"{folder} is not a folder. Give the one that holds the pictures.")
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(
                f"{options['file']} cannot be read: {error.strerror}. Check the path."
            ) from None
        try:
            report = importing.import_products(
                content,
                format=options["format"],
                seller=self.find_seller(options["seller"]),
                is_rehearsal=options["dry_run"],
                images_from=folder,
                recounts_stock=options["count_stock"],
                progress=self.show_progress,
            )
        except UnreadableFile as error:
            raise CommandError(f"{options['file']}: {error}") from None
        self.print_report(report)

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

    def show_progress(self, done: int, total: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r{done} of {total} products", ending="")

    def print_report(self, report: ImportReport) -> None:
        if self.stdout.isatty():
            self.stdout.write("")
        for remark in report.remarks:
            self.stdout.write(f"Note: {remark}")
        for finding in sorted(report.refused, key=place):
            self.stdout.write(self.style.WARNING(f"Refused: {finding}"))
        if report.pictures_left_out:
            self.stdout.write(
                f"Pictures by URL left out: {report.pictures_left_out}. Nothing is fetched from the "
                "network; save them in a folder and import again with --images-from."
            )
        changes = ", ".join(f"{report.changes[change]} {change}" for change in Change)
        self.stdout.write(
            f"Products: {changes}, {report.products_refused} refused. "
            f"Rows: {len(report.refused)} refused, {len(report.remarks)} noted."
        )
        if report.is_rehearsal:
            self.stdout.write("This was a dry run: nothing was changed.")


def place(finding: Finding) -> int:
    return finding.line
