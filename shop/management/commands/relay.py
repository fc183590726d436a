from __future__ import annotations

import signal
import time
from typing import Any

import psycopg
from celery import current_app
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, close_old_connections, connection

from shop.services import relay
from shop.services.outbox import CHANNEL

POLL_SECONDS = 2.0


class Command(BaseCommand):
    help = (
        "Deliver the outbox: hand each waiting task to Celery when there is a broker "
        "(CELERY_BROKER_URL or REDIS_URL), else run it in this process, periodic jobs included. "
        "Waits for new rows by LISTEN/NOTIFY and looks every two seconds anyway. Several relays "
        "may run side by side. Stop it with Ctrl-C or TERM: the row in hand is finished first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="Deliver what is due now, then leave."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.is_stopping = False
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        current_app.loader.import_default_modules()
        has_broker = bool(settings.CELERY_BROKER_URL)
        deliver = relay.publish if has_broker else relay.run_here
        # Run here, one at a time: a mail that comes up must not wait behind a hundred pictures.
        self.batch = 100 if has_broker else 1
        if options["once"]:
            while relay.relay_once(deliver):
                pass
            return
        periodic = {} if has_broker else dict(current_app.conf.beat_schedule)
        where = "Celery workers" if has_broker else "this process"
        self.stdout.write(f"The relay is running; tasks run in {where}.")
        self._run(deliver, periodic)

    def _run(self, deliver: Any, periodic: dict[str, Any]) -> None:
        last_runs = dict.fromkeys(periodic, 0.0)
        listener: psycopg.Connection[Any] | None = None
        while not self.is_stopping:
            try:
                close_old_connections()
                for name, entry in periodic.items():
                    if (
                        time.monotonic() - last_runs[name] >= entry["schedule"]
                        or not last_runs[name]
                    ):
                        last_runs[name] = time.monotonic()
                        relay.registered_tasks()[entry["task"]].apply()
                listener = listener or self._listen()
                if relay.relay_once(
                    deliver, batch=self.batch, is_stopping=lambda: self.is_stopping
                ):
                    continue
                for _notification in listener.notifies(timeout=POLL_SECONDS, stop_after=1):
                    break
            except (OperationalError, psycopg.OperationalError) as error:
                self.stderr.write(f"The database does not answer ({error}); trying again.")
                listener = None
                connection.close()
                time.sleep(1)

    def _listen(self) -> psycopg.Connection[Any]:
        parameters = connection.get_connection_params()
        parameters.pop("cursor_factory", None)
        parameters.pop("context", None)
        listener = psycopg.connect(**parameters, autocommit=True)
        listener.execute(f"LISTEN {CHANNEL}")
        return listener

    def _stop(self, *_: Any) -> None:
        self.is_stopping = True
