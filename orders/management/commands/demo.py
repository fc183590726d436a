from __future__ import annotations

import time
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

import accounts.demo
import cart.demo
import catalog.demo.loader
import shop.demo
from accounts.models import Seller
from catalog.demo.bulk import filling, tree
from shop.errors import ShopError

SELLERS_WITH_LOGINS = 3


class Formatter(RawDescriptionHelpFormatter):
    """Keep the paragraphs of the help as they are written."""


class Command(BaseCommand):
    help = """\
Load the demo shop: three makers with their products, pictures and stock, tax rates, delivery
methods, content pages and, outside production, logins. Running it again doubles nothing and undoes
no sale.

With --products, fill an empty shop with that many made-up products instead, to see how it does as a
large one: a category tree, sellers, options and variants with stock and its ledger, typed
attributes, words as a shop's are. Product 1 has a hundred variants. The pictures are those of the
demo shop. It is one transaction, all or nothing, and locks the catalogue while it runs: have no
shop running on that database. A hundred thousand products take two minutes or so and 1 GB, a million
ten times as much.

  createdb big
  export DATABASE_URL=postgres:///big
  manage.py migrate && manage.py demo --products 100000 && make run
"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=Formatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing if the shop has products already"
        )
        parser.add_argument(
            "--print-logins", action="store_true", help="print the demo logins at the end"
        )
        parser.add_argument(
            "--products",
            type=int,
            metavar="N",
            help=f"make up N products, 1 to {filling.MOST_PRODUCTS:,}, in an empty shop",
        )
        parser.add_argument(
            "--categories",
            type=Path,
            metavar="FILE",
            help="with --products: take the category tree from a JSON file, gzipped or not; a list "
            'of categories, each with its way from the root: {"path": [{"name": "Garden"}, '
            '{"name": "Tools"}]}',
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["categories"] and not options["products"]:
            raise CommandError("--categories goes with --products: say how many to make.")
        if not options["if_empty"] or catalog.demo.loader.is_empty():
            if options["products"] is None:
                self.load()
            else:
                self.fill(options["products"], options["categories"])
        if options["print_logins"] and not settings.IS_PRODUCTION:
            self.print_logins()

    def load(self) -> None:
        started = time.monotonic()
        self.add_ground()
        counts: dict[str, int] = {}
        for number, saved in enumerate(catalog.demo.loader.load(), start=1):
            counts[saved.change] = counts.get(saved.change, 0) + 1
            self.tell(f"Loading the demo shop: {number} products")
        self.end_line()
        if not settings.IS_PRODUCTION:
            accounts.demo.make_logins(self.list_sellers())
        summary = ", ".join(f"{count} products {change}" for change, count in counts.items())
        self.stdout.write(
            f"The demo shop is loaded: {summary} ({time.monotonic() - started:.1f} s)."
        )

    def fill(self, size: int, categories: Path | None) -> None:
        """Make up so many products; whatever is in the way is told before a row is written."""
        if not 1 <= size <= filling.MOST_PRODUCTS:
            raise CommandError(
                f"--products must be a number from 1 to {filling.MOST_PRODUCTS:,}, not {size:,}."
            )
        started = time.monotonic()
        try:
            nodes = tree.read_tree(categories) if categories else tree.build_tree()
            filling.check_is_empty()
            self.add_ground()
            photographs = catalog.demo.loader.store_photographs()
            filling.fill(size, nodes=nodes, photographs=photographs, tell=self.tell)
        except ShopError as refusal:
            raise CommandError(f"{refusal} Nothing was changed.") from refusal
        except DatabaseError as error:
            raise CommandError(
                f"The database did not go along: {error}\nNo product was written. Are all "
                "migrations applied, does DATABASE_URL name the owner of the tables, is there room "
                "on the disk, and is no shop running on this database?"
            ) from error
        self.end_line()
        if not settings.IS_PRODUCTION:
            accounts.demo.make_logins(Seller.objects.order_by("pk")[:SELLERS_WITH_LOGINS])
        self.stdout.write(
            f"{size:,} products in {len(nodes):,} categories ({time.monotonic() - started:.1f} s)."
        )

    def add_ground(self) -> None:
        shop.demo.add_tax_rates()
        shop.demo.add_pages()
        cart.demo.add_delivery()

    def tell(self, text: str) -> None:
        """Show on a terminal how far it is, in one line that is written over."""
        if self.stdout.isatty():
            self.stdout.write(f"\r{text:<79}", ending="")
            self.stdout.flush()

    def end_line(self) -> None:
        if self.stdout.isatty():
            self.stdout.write("")

    def print_logins(self) -> None:
        of_the_demo = f"@{accounts.demo.DOMAIN}"
        sellers = Seller.objects.filter(members__email__endswith=of_the_demo).distinct()
        self.stdout.write(f"Demo logins, all with the password {accounts.demo.PASSWORD}:")
        for login in accounts.demo.list_logins(sellers.order_by("name")):
            self.stdout.write(f"  {login.email:<36} {login.purpose}")

    def list_sellers(self) -> list[Seller]:
        slugs = [maker["slug"] for maker in catalog.demo.loader.read_catalog()["makers"]]
        return list(Seller.objects.filter(slug__in=slugs).order_by("name"))
