"""`manage.py prove`: sell while everything breaks, then show that nothing is wrong."""

from __future__ import annotations

import signal
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.proving.report import describe
from orders.proving.run import NotQuiet, Wishes, prove


class Formatter(RawDescriptionHelpFormatter):
    """Keep the paragraphs of the help as they are written."""


class Command(BaseCommand):
    help = """\
Prove by trying that no purchase goes wrong: shoppers buy scarce goods over HTTP, by card and with
PayPal, and staff give pieces back, while processes are killed, the database crashes, the payment
providers fail and their news comes late, twice or never. Then the shop is left in peace until
nothing is left to be done, and everything is compared: orders, shelves, mails, both providers'
books, the ledger and every invariant. Exit code 1 if anything is wrong.

It makes a database, a payment simulator and a mail server of its own and throws them away at the
end; the shop's own data is not touched. It refuses to run in production.

  manage.py prove                                  1,000 purchases, a fault each second
  manage.py prove --purchases 10000 --minutes 60   as long as it takes, an hour at most
  manage.py prove --seed 7                         the same shoppers and faults once more
"""
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=Formatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--purchases", type=int, default=1000, help="how many (default: %(default)s)"
        )
        parser.add_argument(
            "--shoppers", type=int, default=24, help="how many at a time (default: %(default)s)"
        )
        parser.add_argument(
            "--fault-every",
            type=float,
            default=1.0,
            metavar="SECONDS",
            help="pause between two faults; 0 for none (default: %(default)s)",
        )
        parser.add_argument("--seed", type=int, default=1, help="what chance begins with")
        parser.add_argument(
            "--minutes",
            type=float,
            default=60.0,
            help="let nobody begin to buy after so long (default: %(default)s)",
        )
        parser.add_argument(
            "--hurry",
            action="store_true",
            help="end the shop's own pauses instead of waiting for them at the end (up to 10 "
            "minutes): for a quick look, and for tests",
        )
        parser.add_argument(
            "--without-redis", action="store_true", help="use no Redis, even if there is one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("prove breaks things on purpose: it does not run in production.")
        if options["purchases"] < 1 or options["shoppers"] < 1 or options["fault_every"] < 0:
            raise CommandError("Give at least one purchase and one shopper, and no negative pause.")
        wishes = Wishes(
            purchases=options["purchases"],
            shoppers=options["shoppers"],
            fault_every=options["fault_every"],
            seed=options["seed"],
            minutes=options["minutes"],
            is_hurried=options["hurry"],
            has_redis=not options["without_redis"],
        )
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            result = prove(wishes, self.tell)
        except (NotQuiet, TimeoutError) as error:
            raise CommandError(f"The shop did not come to rest. {error}") from error
        self.stdout.write(describe(result))
        if result.verdict.violations:
            raise CommandError(f"{len(result.verdict.violations)} things are wrong.")
        self.stdout.write(self.style.SUCCESS("Nothing is wrong."))

    def tell(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
