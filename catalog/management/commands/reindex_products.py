from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from catalog.services import indexing, vocabulary


class Command(BaseCommand):
    help = (
        "Write anew what the search knows of each product, and count the catalogue's words for help "
        "with the spelling. Needed after a release that says so, and after LANGUAGE_CODE was "
        "changed: words are stemmed in the shop's language. The shop goes on selling meanwhile; "
        "a second run changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        changed = indexing.reindex_all(progress=self.tell)
        vocabulary.count()
        self.stdout.write(
            self.style.SUCCESS(f"{changed:,} products were written anew; the others were right.")
        )

    def tell(self, done: int, total: int) -> None:
        end = "\n" if done == total else "\r"
        self.stdout.write(f"{done:,} of {total:,} products", ending=end)
        self.stdout.flush()
