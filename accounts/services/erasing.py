"""Erasing a person: at once, in one transaction, and again with the same end.

There is no time to think it over: whoever asks has shown twice who they are and typed their address,
and a delay would leave open what they want closed. What the law makes the shop keep is kept by
whoever holds it (`orders`), without what it does not ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from hmac import new as new_hmac
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.erasure import ErasureRun
from accounts.errors import ErasureRefused
from accounts.models import User
from accounts.person import Person
from accounts.signals import person_erasing, person_leaving
from shop.clock import now
from shop.emails import render_mail
from shop.locking import retry_when_busy
from shop.models import Mail
from shop.services import mailer, outbox
from shop.transactions import no_transaction, own_transaction

SESSIONS_AT_ONCE = 500


@retry_when_busy
@own_transaction
def erase(person: Person, *, language: str = "") -> ErasureRun:
    """Erase a person. Raises `ErasureRefused` with all that stands in the way; nothing changed then.

    Locks carts, payment attempts and orders of the person in this order, then the person's row, which
    nothing can point to any more from then on; what came in between is looked at once more. With a
    `language` a mail to their address says that it is done, and is forgotten once it is sent.
    """
    return _erase(person, language=language)


@own_transaction
def rehearse(person: Person) -> ErasureRun:
    """Count what an erasure would touch and keep, and what stands in its way; change nothing."""
    run = ErasureRun(person)
    with transaction.atomic():
        try:
            run = _erase(person)
        except ErasureRefused as refusal:
            run.obstacles = refusal.obstacles
        transaction.set_rollback(True)
    return run


@own_transaction
def list_obstacles(person: Person) -> list[str]:
    """Say what stands in the way of an erasure just now, in sentences for the person."""
    run = ErasureRun(person, locks=False)
    person_leaving.send(Person, erasure=run)
    return run.obstacles


@no_transaction
def sweep_sessions(*, user_id: int | None, digests: list[str]) -> int:
    """Delete sessions of an erased person: those of the account, and guests' that hold an address.

    Addresses come as `digest` makes them, so that no row names them. Return how many were deleted.
    """
    sessions = import_module(settings.SESSION_ENGINE).SessionStore
    model = sessions.get_model_class()
    wanted, count, last = set(digests), 0, ""
    while True:
        rows = list(
            model.objects.filter(session_key__gt=last).order_by("session_key")[:SESSIONS_AT_ONCE]
        )
        if not rows:
            return count
        last = rows[-1].session_key
        keys = [row.session_key for row in rows if _is_theirs(row.get_decoded(), user_id, wanted)]
        count += _delete_sessions(model, keys) if keys else 0


def digest(email: str) -> str:
    """Return what stands for an address where it must not be written."""
    key = f"accounts.erasing:{settings.SECRET_KEY}".encode()
    return new_hmac(key, email.lower().encode(), sha256).hexdigest()


def _erase(person: Person, *, language: str = "") -> ErasureRun:
    run = ErasureRun(person)
    _stop_at_obstacles(run)
    user = None
    if person.user_id is not None:
        user = User.objects.select_for_update().filter(pk=person.user_id).first()
        _stop_at_obstacles(run)
    person_erasing.send(Person, erasure=run)
    if user is not None:
        run.count("accounts.User", 1)
        user.delete()
        if language and user.email.lower() in person.emails:
            _say_goodbye(person.user_id, email=user.email, language=language)
    outbox.enqueue(
        "accounts.sweep_sessions",
        key=f"erased-sessions:{person.user_id}:{now():%Y%m%d%H%M%S%f}",
        user_id=person.user_id,
        digests=sorted(digest(email) for email in person.emails),
    )
    return run


def _stop_at_obstacles(run: ErasureRun) -> None:
    person_leaving.send(Person, erasure=run)
    if run.obstacles:
        raise ErasureRefused(run.obstacles)


def _say_goodbye(user_id: int | None, *, email: str, language: str) -> None:
    with translation.override(language):
        mail = render_mail("erased", subject=_("Your account is erased"), context={})
    mailer.queue_rendered(
        mail, kind=Mail.LAST, reference=str(user_id), recipient=email, language=language
    )


def _is_theirs(content: Any, user_id: int | None, digests: set[str]) -> bool:
    if user_id is not None and content.get("_auth_user_id") == str(user_id):
        return True
    return any(digest(text) in digests for text in _list_addresses(content))


def _list_addresses(value: Any) -> Iterator[str]:
    """Return every text of a session that may be an address, however deep."""
    if isinstance(value, str):
        if "@" in value:
            yield value.strip()
    elif isinstance(value, dict):
        yield from _list_addresses(list(value.values()))
    elif isinstance(value, list):
        for each in value:
            yield from _list_addresses(each)


@own_transaction
def _delete_sessions(model: Any, keys: list[str]) -> int:
    return int(model.objects.filter(session_key__in=keys).delete()[0])
