"""Mails that nobody has to get: what people chose, and the one click that ends them.

A person's own row counts for all of their proven addresses; an address without an account has a row
of its own, which its owner's row begins with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from allauth.account.models import EmailAddress
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from accounts.access import make_unsubscribe_key
from accounts.models import NotificationPreferences
from shop.transactions import inside_transaction, own_transaction

Kind = Literal["restock", "reviews", "news"]
KINDS: tuple[Kind, ...] = ("restock", "reviews", "news")


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether mails of a kind are wanted at an address, and where one click ends them."""

    is_wanted: bool
    unsubscribe_url: str


@inside_transaction
def find_choice(email: str, kind: Kind, *, language: str) -> Choice:
    """Look up what the reader of an address chose; every mail that nobody has to get asks here."""
    row = _find(email)
    key = make_unsubscribe_key(row.pk, kind)
    with translation.override(language or settings.LANGUAGE_CODE):
        path = reverse("accounts:unsubscribe", args=[key])
    return Choice(getattr(row, kind), f"{settings.SHOP_URL}{path}")


@inside_transaction
def allow(email: str, kind: Kind) -> None:
    """Note that somebody asked for mails of a kind just now, whatever they chose before."""
    row = _find(email)
    NotificationPreferences.objects.filter(pk=row.pk).update(**{kind: True})


@own_transaction
def choose(user_id: int, *, restock: bool, reviews: bool, news: bool) -> None:
    """Write down what a person wants to get."""
    NotificationPreferences.objects.update_or_create(
        user_id=user_id, defaults={"restock": restock, "reviews": reviews, "news": news}
    )


@own_transaction
def unsubscribe(preferences_id: int, kind: str) -> bool:
    """End mails of a kind; say whether there was somebody to send them to.

    A link from the time before somebody had an account counts for the account, too.
    """
    row = NotificationPreferences.objects.filter(pk=preferences_id).first()
    if row is None or kind not in KINDS:
        return False
    ids = {row.pk, _find(row.email).pk} if row.email else {row.pk}
    NotificationPreferences.objects.filter(pk__in=ids).update(**{kind: False})
    return True


def _find(email: str) -> NotificationPreferences:
    """Return the row that counts for an address, making the one that is missing."""
    email = email.lower()
    own = NotificationPreferences.objects.filter(email=email).first()
    owner = EmailAddress.objects.filter(email=email, verified=True).first()
    if owner is None:
        return own or _make(email=email)
    before = {kind: getattr(own, kind) for kind in KINDS} if own else {}
    return _make(user_id=owner.user_id, **before)


def _make(
    *, user_id: int | None = None, email: str | None = None, **chosen: bool
) -> NotificationPreferences:
    whose = {"user_id": user_id} if user_id else {"email": email}
    row, is_new = NotificationPreferences.objects.get_or_create(**whose, defaults=chosen)
    if is_new:
        row.refresh_from_db()  # the database knows what nobody chose
    return row
