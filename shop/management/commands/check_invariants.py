from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop import clock, invariants


class Command(BaseCommand):
    help = (
        "Recompute every balance from its parts: stock, totals, payments, states, outbox. Prints a "
        "line per violation and exits with 1 when there is any, so it can run nightly. With --metrics "
        "it also writes a file for Prometheus' node_exporter: how many rows break each invariant, how "
        "long each took, and when that was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the violations as JSON.")
        parser.add_argument(
            "--metrics",
            type=Path,
            metavar="FILE",
            help="write the counts here, in Prometheus' text format (such as .../shop.prom)",
        )
        parser.add_argument(
            "--times", action="store_true", help="print how many seconds each invariant took"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        violations: list[invariants.Violation] = []
        checked: list[tuple[str, int, float]] = []
        for invariant in invariants.list_invariants():
            began = time.monotonic()
            found = invariants.find_violations_of(invariant)
            seconds = time.monotonic() - began
            violations += found
            checked.append((invariant.id, len(found), seconds))
            if options["times"] and not options["json"]:
                self.stdout.write(f"{invariant.id:<4} {seconds:8.2f} s  {invariant.title}")
        if options["metrics"]:
            _write_metrics(options["metrics"], checked)
        if options["json"]:
            self.stdout.write(
                json.dumps([{"id": v.id, "title": v.title, "detail": v.detail} for v in violations])
            )
        for violation in violations if not options["json"] else []:
            self.stdout.write(f"{violation.id} {violation.title}: {violation.detail}")
        if violations:
            raise CommandError(f"{len(violations)} violations: the numbers above do not add up.")
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS(f"All {len(checked)} invariants hold."))


def _write_metrics(path: Path, checked: list[tuple[str, int, float]]) -> None:
    """Write the whole file beside its place and move it there: its reader never sees half of it.

    Format: Prometheus, "Exposition formats", and node_exporter's textfile collector.
    """
    lines = [
        "# HELP shop_invariant_violations Rows that break an invariant.",
        "# TYPE shop_invariant_violations gauge",
        *(f'shop_invariant_violations{{id="{id}"}} {count}' for id, count, _seconds in checked),
        "# HELP shop_invariant_check_seconds How long checking an invariant took.",
        "# TYPE shop_invariant_check_seconds gauge",
        *(
            f'shop_invariant_check_seconds{{id="{id}"}} {seconds:.3f}'
            for id, _n, seconds in checked
        ),
        "# HELP shop_invariants_checked_at When all of them were checked, in seconds of Unix time.",
        "# TYPE shop_invariants_checked_at gauge",
        f"shop_invariants_checked_at {clock.now().timestamp():.0f}",
    ]
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}. Let this user write there.") from error
