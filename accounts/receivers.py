"""News: somebody signed in; somebody asks for their data, or wants it gone."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import signals, staff_sessions
from accounts.archive import Archive
from accounts.erasure import ErasureRun
from accounts.models import User
from accounts.person import Person
from accounts.services import people


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
