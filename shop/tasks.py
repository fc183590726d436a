"""The base of every task, and the ground floor's own."""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task

from shop.services import mailer, relay


class KeyedTask(Task):  # type: ignore[misc]
    """A task that came from the outbox and reports back to its row."""

    abstract = True

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        if message_id := self._message_id():
            relay.record_success(message_id)

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        if message_id := self._message_id():
            relay.record_failure(message_id, error=f"{type(exc).__name__}: {exc}")

    def _message_id(self) -> int | None:
        headers = getattr(self.request, "headers", None) or {}
        return headers.get("outbox_id") or getattr(self.request, "outbox_id", None)


@shared_task(base=KeyedTask, name="shop.send_mail")
def send_mail(*, mail_id: int, **_: object) -> None:
    """Send one mail."""
    mailer.send(mail_id)


@shared_task(name="shop.clear_outbox")
def clear_outbox(**_: object) -> None:
    """Forget outbox rows that are long done."""
    relay.clear_done()
