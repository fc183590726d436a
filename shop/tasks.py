"""The base of every task, and the ground floor's own."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from celery import Task, shared_task
from celery.exceptions import Ignore
from django.conf import settings

from shop.failpoints import failpoint
from shop.services import changes, limits, mailer, relay


class KeyedTask(Task):  # type: ignore[misc]
    """A task that came from the outbox and reports back to its row."""

    abstract = True

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        message_id = self._message_id()
        if message_id and not relay.record_start(message_id):
            raise Ignore
        failpoint("shop.relay.begun")

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        failpoint("shop.relay.done")
        if message_id := self._message_id():
            relay.record_success(message_id)

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        message_id, reason = self._message_id(), f"{type(exc).__name__}: {exc}"
        if message_id and isinstance(exc, relay.NotYet):
            relay.ask_again(message_id, reason=reason, pause=exc.pause)
        elif message_id:
            relay.record_failure(message_id, error=reason)

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


@shared_task(name="shop.prune_changes")
def prune_changes(**_: object) -> None:
    """Forget lines of the journal that every process has seen."""
    changes.prune()


@shared_task(name="shop.sweep_limits")
def sweep_limits(**_: object) -> None:
    """Forget tries that have run out, and what is over the bound."""
    while limits.sweep() >= limits.SWEEP_ROWS:
        pass
    limits.cut()


@shared_task(name="shop.clear_sessions")
def clear_sessions(**_: object) -> None:
    """Forget sessions that have run out."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
