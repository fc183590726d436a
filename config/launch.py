"""Run all processes of the shop on one machine, from first start to Ctrl-C.

Called by `config/run.py` inside the virtual environment: starts the database, brings it up to
date, fills an empty shop, then runs web, relay and what else the settings ask for as children.
"""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from config import postgres
from config.run import ROOT, require_free_port, say

MANAGE = (sys.executable, "manage.py")
STATE = ROOT / "var"
SECONDS_TO_START = 90
SECONDS_TO_STOP = 10


class Stopped(BaseException):
    """Somebody asked the shop to stop: Ctrl-C, `kill`, or a closed terminal."""


class LaunchFailed(Exception):
    """The shop cannot go on; the text says why and what to do."""


@dataclass(frozen=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    os.environ.update(HOST=host, PORT=port)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        chosen = commands(host, port)
        prepare()
        serve(chosen, host, port)
    except Stopped:
        say("\nThe shop is closed.")
    except (LaunchFailed, postgres.DatabaseNotStarted, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def prepare() -> None:
    """Start the database, migrate, load the demo into an empty shop, collect static files."""
    if address := postgres.ensure_started():
        os.environ["DATABASE_URL"] = address
    try:
        django.setup()
        with _collecting_static_files():
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                say("Preparing the database.")
                call_command("migrate", interactive=False, verbosity=0)
            if not settings.IS_PRODUCTION:
                call_command("demo", if_empty=True)
    except OperationalError as error:
        raise LaunchFailed(
            f"The database does not answer: {error}\nCheck DATABASE_URL, or unset it to let the "
            "shop use a database of its own."
        ) from error
    except CommandError as error:
        raise LaunchFailed(str(error)) from error
    finally:
        connections.close_all()


def commands(host: str, port: str) -> dict[str, tuple[str, ...]]:
    """List the processes in the order in which they start; they stop in the reverse one.

    The simulator is there as long as anybody may ask it something.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    if settings.SIMULATOR_IS_ON:
        simulator = urlsplit(settings.SIMULATOR_URL)
        if simulator.hostname in {"127.0.0.1", "localhost"}:
            own_port = str(simulator.port or 80)
            require_free_port(
                "127.0.0.1", own_port, setting=f"SIMULATOR_URL=http://127.0.0.1:{int(port) + 100}"
            )
            chosen["simulator"] = (*MANAGE, "simulator", "--port", own_port)
    chosen["relay"] = (*MANAGE, "relay", "--skip-checks")
    if settings.CELERY_BROKER_URL:
        celery = (sys.executable, "-m", "celery", "-A", "config", "-q")
        schedule = str(STATE / "celerybeat-schedule")
        chosen["worker"] = (*celery, "worker", "--loglevel", "WARNING", "--concurrency", "2")
        chosen["beat"] = (*celery, "beat", "--loglevel", "WARNING", "--schedule", schedule)
    chosen["web"] = (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", host, "--port", port, "--workers", "1", "--blocking-threads", "8"),
        *("--log-level", "error", "config.wsgi:application"),
    )
    return chosen


def serve(commands: Mapping[str, tuple[str, ...]], host: str, port: str) -> None:
    """Run the children until one dies or somebody stops the shop; leave none behind."""
    with supervising(commands) as children:
        wait_until_ready(children, host, port)
        say(welcome())
        while True:
            require_alive(children)
            time.sleep(0.3)


@contextmanager
def supervising(commands: Mapping[str, tuple[str, ...]]) -> Iterator[list[Child]]:
    children: list[Child] = []
    try:
        for name, command in commands.items():
            # Groups of their own: Ctrl-C reaches only this process, which stops them in order.
            process = subprocess.Popen(
                command, cwd=ROOT, start_new_session=True, pass_fds=postgres.lease_descriptors()
            )
            children.append(Child(name, process))
        yield children
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for child in reversed(children):
            _end(child)


def require_alive(children: list[Child]) -> None:
    for child in children:
        if (status := child.process.poll()) is not None:
            raise LaunchFailed(
                f"The {child.name} process ended with status {status}, so everything was stopped. "
                "The lines above say why."
            )


def wait_until_ready(children: list[Child], host: str, port: str) -> None:
    local = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    question = urllib.request.Request(f"http://{local}:{port}/readyz")
    question.add_header("Host", urlsplit(settings.SHOP_URL).netloc)
    deadline = time.monotonic() + SECONDS_TO_START
    reason = "it does not answer"
    while time.monotonic() < deadline:
        require_alive(children)
        try:
            with urllib.request.urlopen(question, timeout=5):
                return
        except urllib.error.HTTPError as error:
            reason = f"/readyz says {error.code}: {error.read(2000).decode(errors='replace')}"
        except OSError:
            pass
        time.sleep(0.05)
    raise LaunchFailed(f"The shop was not ready after {SECONDS_TO_START} seconds: {reason}")


def welcome() -> str:
    lines = ["", f"{settings.SHOP_NAME} is open: {settings.SHOP_URL}/"]
    if not settings.IS_PRODUCTION:
        logins = io.StringIO()
        call_command("demo", if_empty=True, print_logins=True, stdout=logins)
        lines += [
            f"The seller's side: {settings.SHOP_URL}/admin/",
        ]
        if not settings.HAS_MAIL_SERVER:
            lines.append(f"Mail that the shop sends: {settings.SHOP_URL}/mailbox/")
        lines += ["", logins.getvalue().strip()]
    return "\n".join([*lines, "", "Ctrl-C stops everything; the data stays in var/.", ""])


@contextmanager
def _collecting_static_files() -> Iterator[None]:
    """Collect static files beside the work inside the block, if any of them changed."""
    stamp, found = STATE / "static.stamp", _static_fingerprint()
    is_current = stamp.exists() and stamp.read_text() == found and settings.STATIC_ROOT.exists()
    if is_current or not settings.STATIC_HASHED:
        yield
        return
    command = [*MANAGE, "collectstatic", "--no-input", "--clear", "--verbosity", "0"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield
        if process.wait():
            raise LaunchFailed("The static files could not be collected; the lines above say why.")
        stamp.write_text(found)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def _static_fingerprint() -> str:
    """Sum up names, sizes and times of all static files, and the packages some come from."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for finder in get_finders():
        for name, storage in finder.list([]):
            with suppress(NotImplementedError, OSError):
                status = os.stat(storage.path(name))
                digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _end(child: Child) -> None:
    """Ask the process to end, then make sure that nothing of its group is left."""
    child.process.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.process.wait(SECONDS_TO_STOP)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
