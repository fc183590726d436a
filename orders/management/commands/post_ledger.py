"""Book what an older release did while the ledger was being filled."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from orders.models import LedgerTransaction
from shop import invariants

BOOKS = ("I6", "I12")


class Command(BaseCommand):
    help = (
        "Books in the ledger what is not booked: payments, placed orders and refunds of a release "
        "that knew no ledger and still ran while `migrate` filled it. What is booked is left "
        "alone, so it may run at any time and again. It reads all orders, a few thousand at a "
        "time. Exits with 1 when the books do not add up afterwards."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        before = LedgerTransaction.objects.count()
        # The statements that filled the ledger; they skip every key that is there.
        migration = import_module("orders.migrations.0005_post_what_was")
        with connection.schema_editor(atomic=False) as editor:
            migration.post(None, editor)
        posted = LedgerTransaction.objects.count() - before
        self.stdout.write(f"{posted} transactions were booked." if posted else "All was booked.")
        books = [each for each in invariants.list_invariants() if each.id in BOOKS]
        left = [each for one in books for each in invariants.find_violations_of(one)]
        for each in left:
            self.stderr.write(f"{each.id}: {each.detail}")
        if left:
            raise CommandError("The books do not add up; see docs/invariants.md.")
