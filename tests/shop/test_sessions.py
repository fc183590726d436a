"""What browsers left behind goes, what they still use stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from shop.clock import now
from shop.tasks import clear_sessions


@pytest.mark.django_db
def test_sessions_that_ran_out_are_forgotten_every_day() -> None:
    for key, days in (("old", -1), ("fresh", 1)):
        Session.objects.create(
            session_key=key, session_data="", expire_date=now() + timedelta(days=days)
        )

    clear_sessions()

    assert [session.session_key for session in Session.objects.all()] == ["fresh"]
