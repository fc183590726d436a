"""Where somebody is signed in, and the end of it."""

from __future__ import annotations

from allauth.usersessions.models import UserSession

from accounts.models import User
from shop.transactions import inside_transaction


@inside_transaction
def end_all(user: User) -> None:
    """Sign somebody out of every device, so that nothing comes back when they may enter again."""
    for session in UserSession.objects.filter(user=user).order_by("pk"):
        session.end()
