"""News: a `migrate` is over, somebody signed in, asks for their data, or wants it gone."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import signals, staff_sessions
from accounts.archive import Archive
from accounts.erasure import ErasureRun
from accounts.models import User
from accounts.person import Person
from accounts.services import people, staff


@receiver(user_logged_in)
def limit_the_session_of_staff(
    sender: Any, request: HttpRequest, user: User, **kwargs: Any
) -> None:
    staff_sessions.begin(request, user)


@receiver(signals.person_exporting)
def tell_what_is_known(sender: Any, person: Person, archive: Archive, **kwargs: Any) -> None:
    people.export(person, archive)


@receiver(signals.person_leaving)
def name_duties(sender: Any, erasure: ErasureRun, **kwargs: Any) -> None:
    people.find_obstacles(erasure)


@receiver(signals.person_erasing)
def erase_the_account(sender: Any, erasure: ErasureRun, **kwargs: Any) -> None:
    people.erase(erasure)


@receiver(post_migrate, dispatch_uid="accounts.lay_down_roles")
def lay_down_roles(sender: AppConfig, **kwargs: Any) -> None:
    """Follow each app's permissions, which Django has made just before; skip a half-way database."""
    if _has_groups(kwargs.get("apps", apps)):
        staff.lay_down_roles(sender.label)


def _has_groups(state: Any) -> bool:
    """Say whether the tables of roles and of the trail are there: a migration may go backwards."""
    try:
        state.get_model("auth", "Group")
        state.get_model("accounts", "AuditEntry")
    except LookupError:
        return False
    return True
