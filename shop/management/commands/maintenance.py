from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import localtime

from shop import clock, maintenance
from shop.maintenance import ANY_LANGUAGE, MINUTES


class Command(BaseCommand):
    help = (
        "Close the shop for maintenance, and open it again. Shoppers get a page that says so (503, "
        "with Retry-After); webhooks, /livez and /readyz, pictures and the admin go on, and who is "
        "signed in as staff sees the whole shop. Takes effect at once and needs no database: it "
        "writes a small file (MAINTENANCE_FILE), which every web process must be able to see. "
        "Without an argument it tells how things are."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("state", nargs="?", choices=["on", "off"], help="close, or open again")
        parser.add_argument(
            "--message", default="", metavar="TEXT", help="a sentence of yours for shoppers"
        )
        for code, name in settings.LANGUAGES:
            parser.add_argument(
                f"--message-{code}",
                default="",
                metavar="TEXT",
                help=f"the same for those who read {name}",
            )
        parser.add_argument(
            "--minutes",
            type=int,
            default=MINUTES,
            help="how long it will take, about (%(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["state"] == "on":
                self.close(options)
            elif options["state"] == "off":
                was_closed = maintenance.open_again()
                self.stdout.write("The shop is open." if was_closed else "The shop was open.")
            else:
                self.stdout.write(describe())
        except OSError as error:
            raise CommandError(
                f"{settings.MAINTENANCE_FILE}: {error.strerror}. Let this user write there, or "
                "point MAINTENANCE_FILE elsewhere."
            ) from error

    def close(self, options: dict[str, Any]) -> None:
        if not 1 <= options["minutes"] <= 24 * 60:
            raise CommandError("--minutes must be from 1 to 1440, which is a day.")
        messages = {ANY_LANGUAGE: options["message"]} | {
            code: options[f"message_{code}".replace("-", "_")] for code, _name in settings.LANGUAGES
        }
        maintenance.close(
            messages={code: text.strip() for code, text in messages.items() if text.strip()},
            minutes=options["minutes"],
            now=clock.now(),
        )
        self.stdout.write(f"{describe()} `manage.py maintenance off` opens it again.")


def describe() -> str:
    notice = maintenance.get_notice()
    if notice is None:
        return "The shop is open."
    end = notice.get_end(now=clock.now())
    if end is None:
        return "The shop is closed for maintenance, and should be open by now."
    return f"The shop is closed for maintenance until about {localtime(end):%H:%M}."
