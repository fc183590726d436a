"""How long somebody who works in the admin stays signed in: shorter than a shopper.

A shopper's session lasts a month. Staff sign in anew after `STAFF_SESSION_HOURS`, however busy they
are, and after `STAFF_IDLE_MINUTES` without a page of the admin (OWASP ASVS 5.0, 7.3.1 and 7.3.2).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from accounts.models import User
from shop.clock import now

SINCE, SEEN = "staff_since", "staff_seen"
"""Where the session keeps both moments, in seconds of Unix time."""
SECONDS_BETWEEN_MARKS = 60
"""So that looking at pages does not write the session each time."""


def begin(request: Any, user: User) -> None:
    """Limit the session of somebody who has just signed in, if they may enter the admin."""
    if user.is_staff:
        mark(request.session)
        limit(request)


def mark(session: SessionBase) -> None:
    """Note in the session of somebody who has just signed in that their day begins."""
    session[SINCE] = session[SEEN] = now().timestamp()


def limit(request: Any) -> None:
    """Let the session and its cookie end with the working day, not a month after the last visit."""
    if since := request.session.get(SINCE):
        spent = now().timestamp() - since
        end = now() + timedelta(hours=settings.STAFF_SESSION_HOURS) - timedelta(seconds=spent)
        request.session.set_expiry(end)


def is_over(request: Any) -> bool:
    """Say whether the person has to sign in anew; otherwise note that they were here."""
    moment = now().timestamp()
    since, seen = request.session.get(SINCE), request.session.get(SEEN)
    if since is None or seen is None:  # They may enter only since after they signed in.
        return True
    if moment - since > settings.STAFF_SESSION_HOURS * 3600:
        return True
    if moment - seen > settings.STAFF_IDLE_MINUTES * 60:
        return True
    if moment - seen > SECONDS_BETWEEN_MARKS:
        request.session[SEEN] = moment
    return False
