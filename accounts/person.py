"""Who somebody is to the shop: an account, or only the addresses that they ordered with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_

from allauth.account.models import EmailAddress
from django.db.models import Q

from accounts.models import User


@dataclass(frozen=True, slots=True)
class Person:
    """`emails` are written small, and proven: rows that only name them count as this person's.

    A guest has no `user_id`. `names` are what rows of staff may call them.
    """

    user_id: int | None
    emails: frozenset[str]
    names: frozenset[str] = frozenset()

    def by_email(self, column: str) -> Q:
        """Return the condition that a column names one of the addresses, however it is written."""
        conditions = (Q(**{f"{column}__iexact": email}) for email in sorted(self.emails))
        return reduce(or_, conditions, Q(pk__in=[]))

    def by_account(self, column: str) -> Q:
        """Return the condition that a foreign key leads to the account; a guest has none."""
        return Q(pk__in=[]) if self.user_id is None else Q(**{f"{column}_id": self.user_id})

    def own_or_guest(self, *, user: str, email: str) -> Q:
        """Return the condition for rows of the account, or of a guest with one of the addresses.

        A row that belongs to another account is theirs, whatever address they typed.
        """
        return self.by_account(user) | (Q(**{f"{user}__isnull": True}) & self.by_email(email))


def person_of(user: User) -> Person:
    """Return who is signed in; an address that they never proved counts for nothing."""
    proven = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    names = frozenset([user.name] if user.name else [])
    return Person(user.pk, frozenset(email.lower() for email in proven), names)


def find_person(email: str) -> Person:
    """Return whose address it is, as somebody with a shell vouches for; else a guest with it."""
    email = email.strip().lower()
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        proven = EmailAddress.objects.filter(email__iexact=email, verified=True)
        row = proven.select_related("user").first()
        user = row.user if row else None
    if user is None:
        return Person(None, frozenset([email]))
    person = person_of(user)
    return Person(person.user_id, person.emails | {email, user.email.lower()}, person.names)
