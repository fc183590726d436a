"""News from Django: somebody signed in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import staff_sessions
from accounts.models import User


@receiver(user_logged_in)
def limit_the_session_of_staff(
    sender: Any, request: HttpRequest, user: User, **kwargs: Any
) -> None:
    staff_sessions.begin(request, user)
