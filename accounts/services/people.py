"""What this floor and the ground hold of a person: told to them, and erased."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.archive import Archive, Row
from accounts.devices import describe_device
from accounts.erasure import ErasureRun
from accounts.models import (
    Address,
    AuditEntry,
    DataCopy,
    NotificationPreferences,
    SellerMember,
    User,
)
from accounts.person import Person
from shop.models import Mail, OutboxMessage
from shop.services.forgetting import forget_mails
from shop.transactions import inside_transaction

FORMER_STAFF = "former-staff@erased.invalid"
"""Whose account it is to have done what erased members of the staff did; nobody signs in with it."""
SHORTEST_NAME = 4
"""Shorter names stand in too many texts by chance."""
EMPTY_ENTRY = {"object_repr": "–", "change_message": ""}
ABOUT_ORDERS = "orders."
BETWEEN_OTHERS = ("catalog.review_new", "catalog.low_stock")
"""Mails that sellers get: about others, even where the address is also a shopper's."""


def export(person: Person, archive: Archive) -> None:
    """Add the account, how it is opened, where it is open, and mails other than those of orders."""
    user = User.objects.filter(pk=person.user_id or 0).prefetch_related("groups").first()
    if user is not None:
        archive.add("account", _("Account"), [_describe(user)])
        archive.add("addresses", _("Email addresses"), _list_addresses(user))
        archive.add("address_book", _("Address book"), _list_address_book(user))
        archive.add("changes", _("Changes of your rights"), _list_changes(user))
        archive.add("second_factors", _("Passkeys and second factors"), _list_factors(user))
        archive.add("other_accounts", _("Accounts at other houses"), _list_other_accounts(user))
        archive.add("sessions", _("Where you are signed in"), _list_sessions(user))
        archive.add("work", _("Sellers that you work for"), _list_work(user))
        archive.add("copies", _("Copies that you asked for"), _list_copies(user))
    archive.add("notifications", _("Which mails you want"), _list_preferences(person))
    mails = Mail.objects.filter(person.by_email("recipient")).exclude(
        Q(kind__startswith=ABOUT_ORDERS) | Q(kind__in=BETWEEN_OTHERS)
    )
    archive.add("mails", _("Mails"), list_mails(mails))


def list_mails(mails: Any) -> Iterator[Row]:
    """Tell mails as they were sent; a code that opens an account is nobody's to keep."""
    for mail in mails.order_by("pk"):
        yield {
            "subject": mail.subject,
            "email": mail.recipient,
            "sent_at": mail.sent_at,
            "text": "" if mail.opens_an_account else mail.text,
        }


@inside_transaction
def find_obstacles(run: ErasureRun) -> None:
    """Say who has to hand something over first: staff, and people who work for a seller."""
    user = User.objects.filter(pk=run.person.user_id or 0).first()
    if user is None:
        return
    if user.is_staff or user.is_superuser:
        run.obstacles.append(
            _(
                "You work in the shop's admin. Somebody else there has to take your rights back first."
            )
        )
    memberships = SellerMember.objects.filter(user=user).select_related("seller").order_by("pk")
    for membership in memberships:
        others = SellerMember.objects.filter(
            seller=membership.seller_id, role=SellerMember.Role.OWNER
        ).exclude(user=user)
        if membership.role == SellerMember.Role.OWNER and not others.exists():
            words = _(
                "You are the only owner of %(seller)s. Name another owner, or have the seller closed, "
                "first."
            )
        else:
            words = _("You work for %(seller)s. Its owner has to take you off first.")
        run.obstacles.append(words % {"seller": membership.seller.name})


@inside_transaction
def erase(run: ErasureRun) -> None:
    """Delete what belongs to the account, but the account itself; empty mails and what staff noted."""
    person = run.person
    if person.user_id is not None:
        sessions = UserSession.objects.filter(user=person.user_id)
        keys = list(sessions.values_list("session_key", flat=True))
        model = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
        run.count("sessions.Session", model.objects.filter(session_key__in=keys).delete()[0])
        for owned in (UserSession, Authenticator, SocialAccount, EmailAddress, DataCopy, Address):
            rows = owned.objects.filter(user=person.user_id)
            run.count(owned._meta.label, rows.count())
            rows.delete()
        _keep_what_they_did(run)
    _empty_what_staff_noted(run)
    preferences = _find_preferences(person)
    run.count("accounts.NotificationPreferences", preferences.delete()[0])
    run.count("shop.Mail", forget_mails(person.by_email("recipient")))
    errors = OutboxMessage.objects.filter(_mentions("error", person.emails))
    run.count("shop.OutboxMessage", errors.update(error=""))


def _keep_what_they_did(run: ErasureRun) -> None:
    """Leave the admin's log of a former member of the staff whole, without saying who it was."""
    done = LogEntry.objects.filter(user=run.person.user_id)
    if done.exists():
        former, _is_new = User.objects.get_or_create(
            email=FORMER_STAFF, defaults={"is_active": False, "password": "!"}
        )
        run.count("admin.LogEntry", done.update(user=former))


def _empty_what_staff_noted(run: ErasureRun) -> None:
    """Empty lines of the admin's log that name the person; that something was done stays."""
    person = run.person
    texts = person.emails | {name for name in person.names if len(name) >= SHORTEST_NAME}
    about = _mentions("object_repr", texts) | _mentions("change_message", texts)
    if person.user_id is not None:
        kind = ContentType.objects.get_for_model(User)
        about |= Q(content_type=kind, object_id=str(person.user_id))
    rows = LogEntry.objects.filter(about).exclude(**EMPTY_ENTRY)
    run.count("admin.LogEntry", rows.update(**EMPTY_ENTRY))


def _mentions(column: str, texts: frozenset[str]) -> Q:
    condition = Q(pk__in=[])
    for text in sorted(texts):
        condition |= Q(**{f"{column}__icontains": text})
    return condition


def _describe(user: User) -> Row:
    return {
        "email": user.email,
        "name": user.name,
        "joined_at": user.joined_at,
        "last_login": user.last_login,
        "groups": [group.name for group in user.groups.all()],
    }


def _list_addresses(user: User) -> Iterator[Row]:
    for address in EmailAddress.objects.filter(user=user).order_by("pk"):
        yield {
            "email": address.email,
            "is_verified": address.verified,
            "is_primary": address.primary,
        }


def _list_address_book(user: User) -> Iterator[Row]:
    for address in Address.objects.filter(user=user).order_by("pk"):
        yield {
            **address.postal.as_fields(),
            "is_for_delivery": address.is_for_delivery,
            "is_for_billing": address.is_for_billing,
        }


def _find_preferences(person: Person) -> QuerySet[NotificationPreferences]:
    theirs = person.by_email("email")
    if person.user_id is not None:
        theirs |= Q(user=person.user_id)
    return NotificationPreferences.objects.filter(theirs)


def _list_preferences(person: Person) -> Iterator[Row]:
    for wishes in _find_preferences(person).order_by("pk"):
        yield {
            "email": wishes.email or "",
            "back_in_stock": wishes.restock,
            "reviews": wishes.reviews,
            "news": wishes.news,
        }


def _list_changes(user: User) -> Iterator[Row]:
    """Tell what was changed of somebody's rights; not by whom, who is somebody else."""
    for entry in AuditEntry.objects.filter(person=user).order_by("pk"):
        yield {
            "changed_at": entry.created_at,
            "what": str(entry.get_kind_display()),
            "before": entry.before,
            "after": entry.after,
        }


def _list_factors(user: User) -> Iterator[Row]:
    """Tell that there is one and what it is called; its secret is no news to its owner."""
    for factor in Authenticator.objects.filter(user=user).order_by("pk"):
        yield {
            "method": factor.get_type_display(),
            "name": factor.data.get("name", ""),
            "created_at": factor.created_at,
            "last_used_at": factor.last_used_at,
        }


def _list_other_accounts(user: User) -> Iterator[Row]:
    for account in SocialAccount.objects.filter(user=user).order_by("pk"):
        yield {
            "provider": account.provider,
            "provider_number": account.uid,
            "signed_in_at": account.last_login,
            "details": account.extra_data,
        }


def _list_sessions(user: User) -> Iterator[Row]:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for session in UserSession.objects.filter(user=user).order_by("pk"):
        typed = store(session.session_key).get("checkout") or {}
        yield {
            "browser": describe_device(session.user_agent),
            "ip": session.ip,
            "created_at": session.created_at,
            "last_used_at": session.last_seen_at,
            "typed": [typed] if typed else [],
        }


def _list_work(user: User) -> Iterator[Row]:
    for membership in SellerMember.objects.filter(user=user).select_related("seller"):
        yield {"seller": membership.seller.name, "role": str(membership.get_role_display())}


def _list_copies(user: User) -> Iterator[Row]:
    for copy in DataCopy.objects.filter(user=user).defer("content"):
        yield {"asked_at": copy.asked_at, "done_at": copy.ready_at}
