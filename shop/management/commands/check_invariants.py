from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop import invariants


class Command(BaseCommand):
    help = (
        "Recompute every balance from its parts: stock, totals, payments, states, outbox. Prints a "
        "line per violation and exits with 1 when there is any, so it can run nightly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the violations as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        violations = invariants.find_violations()
        if options["json"]:
            self.stdout.write(
                json.dumps([{"id": v.id, "title": v.title, "detail": v.detail} for v in violations])
            )
        for violation in violations if not options["json"] else []:
            self.stdout.write(f"{violation.id} {violation.title}: {violation.detail}")
        if violations:
            raise CommandError(f"{len(violations)} violations: the numbers above do not add up.")
        if not options["json"]:
            checked = len(invariants.list_invariants())
            self.stdout.write(self.style.SUCCESS(f"All {checked} invariants hold."))
