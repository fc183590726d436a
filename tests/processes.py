"""The shop's own processes, each on the test database: web, relay, worker and beat."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from bench.server import free_port

ROOT = Path(__file__).resolve().parent.parent
MANAGE = (sys.executable, "manage.py")
CELERY = (sys.executable, "-m", "celery", "-A", "config", "-q")
SECONDS_TO_START = 180
SECONDS_TO_STOP = 30


def environment(**chosen: str) -> dict[str, str]:
    """Describe the shop under test to another process: its database, then what is chosen."""
    address = urlsplit(os.environ["DATABASE_URL"])
    database = address._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    known = {
        "DATABASE_URL": database,
        "LOG_LEVEL": "WARNING",
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
    }
    return {**os.environ, **known, **chosen}


@contextmanager
def running(*command: str, **chosen: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the end of the block; what it prints is captured with the test's output.

    A process that ended by itself, or not within seconds of being asked to, is a failure.
    """
    process = subprocess.Popen(command, cwd=ROOT, env=environment(**chosen))
    try:
        yield process
        assert process.poll() is None, f"{command} ended by itself with {process.returncode}"
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_STOP)
        is_stuck = process.poll() is None
        process.kill()
        process.wait()
    assert not is_stuck, f"{command} did not stop"


@contextmanager
def running_web(
    *, port: int | None = None, application: str = "config.wsgi:application", **chosen: str
) -> Iterator[str]:
    """Run the web process as `make run` does, and yield its address once it is ready."""
    number = str(port or free_port())
    command = (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", "127.0.0.1", "--port", number, "--workers", "1", "--blocking-threads", "8"),
        *("--log-level", "error", application),
    )
    address = f"http://127.0.0.1:{number}"
    with running(*command, PORT=number, **chosen) as process:
        wait_until(lambda: process.poll() is not None or _is_ready(address), "the web answers")
        yield address


def wait_until(
    condition: Callable[[], Any], what: str, *, seconds: float = SECONDS_TO_START
) -> Any:
    """Wait for a condition, and return what made it true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"After {seconds:.0f} seconds it is still not so that {what}.")
        time.sleep(0.05)
    return found


def _is_ready(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
        return bool(answer.status == 200)
    return False
