"""Reads of people: their address books."""

from __future__ import annotations

from allauth.account.models import EmailAddress

from accounts.models import Address, NotificationPreferences


def list_addresses(user_id: int) -> list[Address]:
    """Return a person's address book, the default for delivery first, then the newest; one statement."""
    return list(Address.objects.filter(user=user_id).order_by("-is_for_delivery", "-pk"))


def find_address(user_id: int, address_id: int) -> Address | None:
    """Find an address in this person's book and in nobody else's."""
    return Address.objects.filter(user=user_id, pk=address_id).first()


def list_unproven_emails(user_id: int) -> list[str]:
    """List the addresses that somebody added and has not proven yet; one statement."""
    unproven = EmailAddress.objects.filter(user=user_id, verified=False).order_by("pk")
    return list(unproven.values_list("email", flat=True))


def get_notification_choices(user_id: int) -> dict[str, bool]:
    """Return which mails a person wants, by kind; one statement."""
    kinds = ("restock", "reviews", "news")
    row = NotificationPreferences.objects.filter(user=user_id).values(*kinds).first()
    return dict(row) if row else {"restock": True, "reviews": True, "news": False}
