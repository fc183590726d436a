"""Sessions in the database, which say so when the database broke off."""

from __future__ import annotations

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import OperationalError


class SessionStore(db.SessionStore):
    """Django's own, by the same name, since that is part of how a session is signed."""

    def save(self, must_create: bool = False) -> None:
        """Raises `OperationalError` where the database could not be reached.

        Django takes that for a session that somebody deleted meanwhile, and answers with a bare
        400; as it is, the page for a database that is away answers, which passes.
        """
        try:
            super().save(must_create)
        except UpdateError as error:
            away = error.__context__
            if isinstance(away, OperationalError):
                raise away from away.__cause__
            raise
