"""What a run is measured on: its own PostgreSQL, web server and payment provider, all temporary."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from config.postgres import Cluster
from config.postgres_programs import Account
from config.run import ROOT

WORKERS, THREADS = 2, 8
"""As `deploy/entrypoint` starts the web process."""
LIKE_A_SERVER = {
    "shared_buffers": "1GB",
    "effective_cache_size": "8GB",
    "work_mem": "16MB",
    "random_page_cost": "1.1",
}
SECONDS_TO_START = 60
SECONDS_TO_STOP = 10


class NotStarted(Exception):
    """A process of the run did not come up; the text says which and what it wrote."""


@contextmanager
def database() -> Iterator[Cluster]:
    """Run a PostgreSQL that keeps its promises (fsync is on), and delete it at the end."""
    name = f"emporium-bench-{os.getpid()}"
    folder = Path(tempfile.gettempdir()) / name
    if not Account.for_home(folder).can_reach(folder):
        folder = Path("/tmp") / name
    cluster = Cluster(folder, settings=LIKE_A_SERVER)
    try:
        cluster.hold()
        yield cluster
    finally:
        cluster.destroy()


def server_pid(cluster: Cluster) -> int:
    """Return the process above all backends."""
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


@contextmanager
def web(application: str, *, port: int, environment: Mapping[str, str]) -> Iterator[int]:
    """Serve an application with granian; yield the id of its main process."""
    command = (
        *("-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", str(WORKERS), "--blocking-threads", str(THREADS)),
        *("--workers-kill-timeout", "5", "--log-level", "warning", application),
    )
    with _running(command, environment, answers_at=f"http://127.0.0.1:{port}/") as pid:
        yield pid


@contextmanager
def provider(*, port: int, environment: Mapping[str, str]) -> Iterator[int]:
    """Run the payment simulator, which forgets everything."""
    command = ("manage.py", "simulator", "--port", str(port), "--state", ":memory:")
    with _running(command, environment, answers_at=f"http://127.0.0.1:{port}/") as pid:
        yield pid


@contextmanager
def _running(
    command: tuple[str, ...], environment: Mapping[str, str], *, answers_at: str
) -> Iterator[int]:
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            (sys.executable, *command),
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            if not _answers(process, answers_at):
                log.seek(0)
                raise NotStarted(f"{' '.join(command)} does not answer:\n{log.read()[-4000:]}")
            yield process.pid
        finally:
            _end(process)


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=SECONDS_TO_START):
                return True
        except urllib.error.HTTPError as answer:
            return answer.code < 500
        except OSError:
            time.sleep(0.05)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_STOP)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
