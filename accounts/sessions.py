"""Looking at the shop as a shopper: what the session of somebody from support keeps of it.

They stay signed in as themselves. A plain cookie says that the session is worth a look, so that
pages which are the same for everybody go on without reading one; it gives no right by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts.models import AuditEntry, User
from accounts.roles import may_look_as
from accounts.services import audit
from shop.clock import now

SESSION_KEY = "looking_as"
LONGEST = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Looking:
    """Whose eyes somebody looks through, and until when."""

    person: User
    until: datetime


def cookie_name() -> str:
    return "__Host-looking" if settings.SESSION_COOKIE_SECURE else "looking"


def begin(request: HttpRequest, response: HttpResponse, person: User, *, reason: str) -> None:
    """Look as a person from the next page on; whether one may is the caller's to ask."""
    _note(request, AuditEntry.Kind.LOOK_AS_BEGUN, person, reason=reason)
    until = now() + LONGEST
    request.session[SESSION_KEY] = {"person": person.pk, "until": until.timestamp()}
    response.set_cookie(
        cookie_name(),
        "1",
        max_age=LONGEST,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def find(request: HttpRequest) -> Looking | None:
    """Return through whose eyes the request is to be seen; None once time or right is over."""
    kept = request.session.get(SESSION_KEY)
    user: Any = request.user
    if not kept or not user.is_authenticated or kept["until"] <= now().timestamp():
        return None
    person = User.objects.filter(pk=kept["person"]).first()
    if person is None or not may_look_as(user, person):
        return None
    return Looking(person, datetime.fromtimestamp(kept["until"], tz=now().tzinfo))


def get_person_id(request: HttpRequest) -> int | None:
    kept = request.session.get(SESSION_KEY)
    return kept["person"] if kept else None


def end(request: HttpRequest, response: HttpResponse) -> None:
    """Be oneself again, however it came to an end."""
    kept = request.session.pop(SESSION_KEY, None)
    if kept:
        person = User.objects.filter(pk=kept["person"]).first()
        _note(request, AuditEntry.Kind.LOOK_AS_ENDED, person)
    response.delete_cookie(cookie_name(), samesite="Lax")


def _note(
    request: HttpRequest, kind: AuditEntry.Kind, person: User | None, *, reason: str = ""
) -> None:
    user: Any = request.user
    with transaction.atomic():
        audit.record(
            kind,
            by=user if user.is_authenticated else None,
            door=AuditEntry.Door.ADMIN,
            subject=f"user:{person.pk}" if person else "",
            person=person,
            reason=reason,
        )
