from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from accounts.person import find_person
from accounts.services import exporting


class Command(BaseCommand):
    help = (
        "Write all that the shop keeps of a person into one archive: data.json for programs, "
        "index.html for people, photographs of reviews. EMAIL is that of an account, or what a guest "
        "ordered with; make sure that it is theirs before you hand the file out. Exits with 1 when "
        "nothing is kept, and never writes over a file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--to", type=Path, metavar="FILE", help="where to write (default: person.zip)"
        )
        parser.add_argument(
            "--language",
            choices=[code for code, _name in settings.LANGUAGES],
            default=settings.LANGUAGE_CODE,
            help="the language of the page (default: the shop's)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["to"] or Path("person.zip")
        person = find_person(options["email"])
        try:
            with path.open("xb") as file, translation.override(options["language"]):
                path.chmod(0o600)
                archive = exporting.write(person, file)
        except FileExistsError:
            raise CommandError(f"{path} is there already. Name another file with --to.") from None
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}. Name another file with --to.") from error
        if not archive.sections:
            path.unlink()
            raise CommandError(f"Nothing is kept about {options['email']}.")
        for section in archive.sections:
            self.stdout.write(f"{len(section.rows):6} {section.key}")
        self.stdout.write(self.style.SUCCESS(f"{path} is written. It is personal: keep it safe."))
