from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from accounts.models import User


def get_actor(request: HttpRequest) -> User:
    """Return who acts, for the timeline; the admin lets nobody in who is not signed in."""
    return cast(User, request.user)
