"""`manage.py simulator`: a payment provider to try the shop with."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from payments.simulator.running import LATE_SECONDS, Simulator, SimulatorForbidden

WEBHOOK_PATH = "/payments/webhooks/stripe/"
PAYPAL_WEBHOOK_PATH = "/payments/webhooks/paypal/"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Command(BaseCommand):
    help = (
        "Run the payment simulator: it answers like Stripe and PayPal, shows pages with every "
        "outcome, and calls the shop's webhook. No money moves. Stop it with Ctrl-C; what it "
        "knows is kept in its state file. It refuses to run in production."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument(
            "--port",
            type=int,
            default=urlsplit(settings.SIMULATOR_URL).port or 8001,
            help="port to listen on (default: the one of SIMULATOR_URL, %(default)s)",
        )
        parser.add_argument(
            "--state",
            default=str(Path(settings.BASE_DIR) / "var" / "simulator.sqlite3"),
            help="file that keeps payments over a restart, or :memory:",
        )
        parser.add_argument(
            "--webhook-url",
            default=settings.SHOP_URL + WEBHOOK_PATH,
            help="where the shop takes webhooks (default: %(default)s)",
        )
        parser.add_argument(
            "--paypal-webhook-url",
            default=settings.SHOP_URL + PAYPAL_WEBHOOK_PATH,
            help="where the shop takes PayPal's webhooks (default: %(default)s)",
        )
        parser.add_argument(
            "--public-url",
            default="",
            help="address under which shoppers reach the payment page (default: SIMULATOR_URL)",
        )
        parser.add_argument(
            "--late-seconds",
            type=float,
            default=LATE_SECONDS,
            help="how late a late webhook is (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            simulator = Simulator(
                secret_key=settings.STRIPE_SECRET_KEY,
                webhook_secret=settings.STRIPE_WEBHOOK_SECRET,
                webhook_url=options["webhook_url"],
                paypal_client_id=settings.PAYPAL_CLIENT_ID,
                paypal_client_secret=settings.PAYPAL_CLIENT_SECRET,
                paypal_webhook_id=settings.PAYPAL_WEBHOOK_ID,
                paypal_webhook_url=options["paypal_webhook_url"],
                state=options["state"],
                host=options["host"],
                port=options["port"],
                public_url=options["public_url"] or _public_url(options["port"]),
                late_seconds=options["late_seconds"],
            )
        except SimulatorForbidden as refusal:
            raise CommandError(str(refusal)) from refusal
        except OSError as fault:
            raise CommandError(
                f"Cannot listen on {options['host']}:{options['port']}: {fault}. Stop what uses "
                "the port, or choose another with --port."
            ) from fault
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            simulator.start()
            self.stdout.write(f"Payment simulator at {simulator.url}; no money moves.")
            self.stdout.flush()
            signal.pause()
        except KeyboardInterrupt:
            self.stdout.write("Stopping the payment simulator.")
        finally:
            simulator.stop()


def _public_url(port: int) -> str:
    """Return SIMULATOR_URL, unless it names another port of this machine than the one in use."""
    known = urlsplit(settings.SIMULATOR_URL)
    if known.hostname in LOOPBACK and known.port != port:
        return ""
    return settings.SIMULATOR_URL
