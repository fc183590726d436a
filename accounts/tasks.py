from __future__ import annotations

from collections.abc import Sequence

from celery import shared_task

from accounts.services import erasing, exporting, retention
from shop.tasks import KeyedTask


@shared_task(base=KeyedTask, name="accounts.make_data_copy")
def make_data_copy(*, copy_id: int, **_: object) -> None:
    """Make the copy of their data that somebody asked for."""
    exporting.make(copy_id)


@shared_task(base=KeyedTask, name="accounts.sweep_sessions")
def sweep_sessions(*, user_id: int | None, digests: Sequence[str], **_: object) -> None:
    """Delete what browsers' sessions still hold of somebody who was erased."""
    erasing.sweep_sessions(user_id=user_id, digests=list(digests))


@shared_task(name="accounts.forget_old")
def forget_old(**_: object) -> None:
    """Forget mails, sign-ins and copies of data that are past their time."""
    retention.forget_old()
