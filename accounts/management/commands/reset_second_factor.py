from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import AuditEntry, User
from accounts.services import second_factors


class Command(BaseCommand):
    help = (
        "Take the passkeys, the authenticator app and the recovery codes of one person off, because "
        "they lost them. Be sure first that it is they who ask: call them, or have them stand before "
        "you. They are signed out everywhere, get a mail about it, and sign in with their password; "
        "where the admin demands a second factor, they are led to add one. The log keeps a line."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="with which they sign in")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(email__iexact=options["email"].strip()).first()
        if person is None:
            raise CommandError(f"Nobody signs in with {options['email']}.")
        if not options["yes"] and not self.is_sure(person):
            raise CommandError("Nothing was changed.")
        count = second_factors.remove_all(person, by=None, door=AuditEntry.Door.COMMAND)
        what = {0: "no second factor", 1: "one second factor"}.get(count, f"{count} second factors")
        self.stdout.write(f"{person.email} had {what} and is signed out everywhere.")

    def is_sure(self, person: User) -> bool:
        self.stdout.write(f"Take all second factors of {person.email} off? Type yes: ", ending="")
        self.stdout.flush()
        return input().strip().lower() == "yes"
