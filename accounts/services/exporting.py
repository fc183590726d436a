"""A copy of a person's data: asked for on the account page, made by a task, gone after days."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import IO

from django.conf import settings
from django.utils import translation

from accounts.archive import Archive
from accounts.models import DataCopy, User
from accounts.person import Person, person_of
from accounts.signals import person_exporting
from shop.clock import now
from shop.services import outbox
from shop.transactions import no_transaction, own_transaction

GIVEN_UP_AFTER = timedelta(hours=1)
"""So long one waits for a copy; then another may be asked for."""


@own_transaction
def ask(user: User, *, language: str) -> DataCopy:
    """Have a copy made, in place of former ones; one that is being made already is returned.

    Locks the person's row.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    being_made = DataCopy.objects.filter(user=user, ready_at=None)
    if waiting := being_made.filter(asked_at__gt=now() - GIVEN_UP_AFTER).first():
        return waiting
    DataCopy.objects.filter(user=user).delete()
    copy = DataCopy.objects.create(user=user, language=language, asked_at=now())
    outbox.enqueue("accounts.make_data_copy", key=f"data-copy:{copy.pk}", copy_id=copy.pk)
    return copy


@no_transaction
def make(copy_id: int) -> None:
    """Make a copy that was asked for. It is made once; one whose row went meanwhile is let go of."""
    copy = DataCopy.objects.select_related("user").filter(pk=copy_id, ready_at=None).first()
    if copy is None:
        return
    archive = BytesIO()
    with translation.override(copy.language):
        write(person_of(copy.user), archive)
    _record(copy_id, archive.getvalue())


@no_transaction
def write(person: Person, out: IO[bytes]) -> Archive:
    """Write all that the shop keeps of a person, in the language that is active.

    Pictures are read from the storage, which may be a network away.
    """
    archive = Archive(asked_at=now())
    person_exporting.send(Person, person=person, archive=archive)
    archive.write(out)
    return archive


@own_transaction
def _record(copy_id: int, content: bytes) -> None:
    DataCopy.objects.filter(pk=copy_id, ready_at=None).update(
        content=content,
        size=len(content),
        ready_at=now(),
        lapses_at=now() + timedelta(days=settings.RETENTION_COPY_DAYS),
    )
