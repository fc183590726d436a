from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop import checkups
from shop.checkups import Examined, State


class Command(BaseCommand):
    help = (
        "Explain in a few seconds how everything the shop depends on is doing: settings, database, "
        "clock, cache, broker, relay, mail, static files, disk, pictures, payments. One line each: "
        "ok, warning or fault, and what to do. Nothing is sent and nothing is changed. Exits with "
        "1 when there is a fault; warnings are for you to judge."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        found: list[Examined] = []
        for each in checkups.examine():
            found.append(each)
            if not options["json"]:
                self.print_line(each)
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    [
                        {"name": each.name, "state": each.finding.state.value}
                        | {"text": each.finding.text}
                        for each in found
                    ]
                )
            )
        faults = sum(each.finding.state is State.FAULT for each in found)
        if faults:
            noun = "thing needs" if faults == 1 else "things need"
            raise CommandError(f"{faults} {noun} mending; the lines above say how.")

    def print_line(self, each: Examined) -> None:
        style = {
            State.OK: self.style.SUCCESS,
            State.WARNING: self.style.WARNING,
            State.FAULT: self.style.ERROR,
        }[each.finding.state]
        self.stdout.write(
            f"{style(f'{each.finding.state.value:<8}')} {each.name:<9} {each.finding.text}"
        )
