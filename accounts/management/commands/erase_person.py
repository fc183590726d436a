from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.erasure import ErasureRun
from accounts.errors import ErasureRefused
from accounts.person import find_person
from accounts.privacy import list_holdings
from accounts.services import erasing
from shop.errors import BusyError


class Command(BaseCommand):
    help = (
        "Erase a person: account, carts, reviews, mails and all else, but what the law has the shop "
        "keep of paid orders. Without --yes it changes nothing and lists what would go and stay. "
        "EMAIL is that of an account, or what a guest ordered with. Refuses, and exits with 1, while "
        "an order is not over or the person works for a seller or in the admin. Running it again "
        "does no harm."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--yes", action="store_true", help="erase; it cannot be taken back")

    def handle(self, *args: Any, **options: Any) -> None:
        person = find_person(options["email"])
        try:
            if options["yes"]:
                run = erasing.erase(person, language=settings.LANGUAGE_CODE)
            else:
                run = erasing.rehearse(person)
        except ErasureRefused as refusal:
            raise CommandError(_say_why_not(refusal.obstacles)) from refusal
        except BusyError as error:
            raise CommandError(f"{error} Nothing was erased.") from error
        if run.obstacles:
            raise CommandError(_say_why_not(run.obstacles))
        if not run.rows:
            self.stdout.write(f"Nothing is kept about {options['email']}.")
            return
        self._list(run)
        if options["yes"]:
            self.stdout.write(self.style.SUCCESS("Erased."))
        else:
            self.stdout.write("Nothing was changed. Run it again with --yes to erase.")

    def _list(self, run: ErasureRun) -> None:
        for holding in list_holdings():
            if count := run.rows.get(holding.model):
                remark = f" ({holding.remark})" if holding.remark else ""
                self.stdout.write(f"{count:6} {holding.model}: {holding.erasure}{remark}")


def _say_why_not(obstacles: list[str]) -> str:
    return "\n".join(["Nothing was erased:", *(f"  - {words}" for words in obstacles)])
