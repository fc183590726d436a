from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

import accounts.demo
import cart.demo
import catalog.demo.loader
import shop.demo
from accounts.models import Seller


class Command(BaseCommand):
    help = (
        "Load the demo shop: three makers with their products, pictures and stock, tax rates, "
        "delivery methods, content pages and, outside production, logins. Running it again doubles "
        "nothing and undoes no sale."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing if the shop has products already"
        )
        parser.add_argument(
            "--print-logins", action="store_true", help="print the demo logins at the end"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["if_empty"] or catalog.demo.loader.is_empty():
            self.load()
        if options["print_logins"] and not settings.IS_PRODUCTION:
            self.print_logins()

    def load(self) -> None:
        started = time.monotonic()
        shop.demo.add_tax_rates()
        shop.demo.add_pages()
        cart.demo.add_delivery()
        counts: dict[str, int] = {}
        for number, saved in enumerate(catalog.demo.loader.load(), start=1):
            counts[saved.change] = counts.get(saved.change, 0) + 1
            if self.stdout.isatty():
                self.stdout.write(f"\rLoading the demo shop: {number} products", ending="")
        if self.stdout.isatty():
            self.stdout.write("")
        if not settings.IS_PRODUCTION:
            accounts.demo.make_logins(self.list_sellers())
        summary = ", ".join(f"{count} products {change}" for change, count in counts.items())
        self.stdout.write(
            f"The demo shop is loaded: {summary} ({time.monotonic() - started:.1f} s)."
        )

    def print_logins(self) -> None:
        self.stdout.write(f"Demo logins, all with the password {accounts.demo.PASSWORD}:")
        for login in accounts.demo.list_logins(self.list_sellers()):
            self.stdout.write(f"  {login.email:<36} {login.purpose}")

    def list_sellers(self) -> list[Seller]:
        slugs = [maker["slug"] for maker in catalog.demo.loader.read_catalog()["makers"]]
        return list(Seller.objects.filter(slug__in=slugs).order_by("name"))
