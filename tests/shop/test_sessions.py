"""What browsers left behind goes, what they still use stays."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection

from shop.clock import now
from shop.sessions import SessionStore
from shop.tasks import clear_sessions


@pytest.mark.django_db
def test_sessions_that_ran_out_are_forgotten_every_day() -> None:
    for key, days in (("old", -1), ("fresh", 1)):
        Session.objects.create(
            session_key=key, session_data="", expire_date=now() + timedelta(days=days)
        )

    clear_sessions()

    assert [session.session_key for session in Session.objects.all()] == ["fresh"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_breaks_off_is_not_taken_for_a_session_that_is_gone() -> None:
    session = SessionStore()
    session["cart"] = 1
    session.create()
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    session["cart"] = 2
    with pytest.raises(OperationalError):
        session.save()
    connection.close()

    session.save()
    assert SessionStore(session.session_key)["cart"] == 2


@pytest.mark.django_db
def test_a_session_that_was_ended_meanwhile_is_not_made_again() -> None:
    session = SessionStore()
    session.create()
    Session.objects.all().delete()
    session["cart"] = 1
    with pytest.raises(UpdateError):
        session.save()
