from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from shop import cards

BATCH = 2_000
MOST_SHOWN = 200
# What may be one: as many digits as a card has, perhaps with spaces or hyphens. Python judges.
MAYBE = r"[0-9](?:[ -]?[0-9]){13}"
TEXTS = """
SELECT table_name, column_name FROM information_schema.columns
 WHERE table_schema = current_schema()
   AND (data_type IN ('text', 'character varying', 'character', 'jsonb', 'json')
        OR udt_name IN ('_text', '_varchar'))
   AND table_name IN (SELECT tablename FROM pg_tables WHERE schemaname = current_schema())
 ORDER BY table_name, ordinal_position
"""


class Command(BaseCommand):
    help = (
        "Look for card numbers where none may be: in every text of the database, and in files such "
        "as logs. Prints the place and the last four digits of each, and exits with 1 when there is "
        "any. Reads only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, help="Logs and dumps to look through.")
        parser.add_argument("--only-files", action="store_true", help="Leave the database out.")

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for place, text in self._read_all(options):
            for found in cards.find(text):
                count += 1
                if count <= MOST_SHOWN:
                    self.stdout.write(f"{place}: {cards.mask(found.digits)}")
        if count:
            raise CommandError(
                f"{count} card numbers were found. Take them out, and find out how they came there."
            )
        self.stdout.write(self.style.SUCCESS("No card number was found."))

    def _read_all(self, options: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for path in options["files"]:
            try:
                with path.open(encoding="utf-8", errors="replace") as lines:
                    for number, line in enumerate(lines, start=1):
                        yield f"{path}:{number}", line
            except OSError as error:
                raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        if not options["only_files"]:
            yield from _read_database()


def _read_database() -> Iterator[tuple[str, str]]:
    """Yield each text that may hold a card number, with its table, column and row."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TEXTS)
        columns = cursor.fetchall()
        for table, column in columns:
            name, quoted = connection.ops.quote_name(column), connection.ops.quote_name(table)
            cursor.execute(
                f"SELECT ctid::text, {name}::text FROM {quoted} WHERE {name}::text ~ %s",
                [MAYBE],
            )
            while rows := cursor.fetchmany(BATCH):
                for row, text in rows:
                    yield f"{table}.{column} {re.sub(r'[()]', '', row)}", text
