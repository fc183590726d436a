"""What a run is measured on: its own PostgreSQL, web server and payment provider, all temporary."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
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
    "max_wal_size": "4GB",
}
WITHOUT_PAGE_CACHE = {"PAGE_CACHE_MB": "0"}
SECONDS_TO_START = 240
"""Each worker reads the catalogue before it answers: 12 s for a million products, if it is alone."""
SECONDS_TO_STOP = 10


OF_THE_SHELL = (
    *("REDIS_URL", "CELERY_BROKER_URL", "EMAIL_URL", "S3_BUCKET", "ALLOWED_HOSTS", "SHOP_URL"),
    *("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE", "PAYMENT_SIMULATOR"),
    *("SHOP_LANGUAGE", "SHOP_CURRENCY", "SHOP_COUNTRY", "SECRET_KEY"),
)


class NotStarted(Exception):
    """A process of the run did not come up; the text says which and what it wrote."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run's shop lives: its database and the ports of its shop and payment provider."""

    cluster: Cluster
    port: int
    provider_port: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def place(home: Path | None = None) -> Iterator[Place]:
    """Start a database, and set this process and its children up for a shop on it.

    What the shell says of some other shop is forgotten. A database with a `home` stays there.
    """
    for name in OF_THE_SHELL:
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    with (
        tempfile.TemporaryDirectory(prefix="emporium-bench-") as folder,
        database(home) as cluster,
    ):
        here = Place(cluster, port=free_port(), provider_port=free_port())
        os.environ.update(
            DJANGO_SETTINGS_MODULE="bench.settings",
            BENCH_STATIC_ROOT=f"{folder}/static",
            MEDIA_ROOT=f"{folder}/media",
            MAINTENANCE_FILE=f"{folder}/maintenance.json",
            DATABASE_URL=cluster.url(),
            EMPORIUM_MODE="trial",
            DEBUG="false",
            STATIC_HASHED="true",
            LOG_LEVEL="ERROR",
            LIMITS_FREE_NETWORKS="127.0.0.0/8",
            PORT=str(here.port),
            SIMULATOR_URL=f"http://127.0.0.1:{here.provider_port}",
        )
        yield here


@contextmanager
def database(home: Path | None = None) -> Iterator[Cluster]:
    """Run a PostgreSQL that keeps its promises (fsync is on); without a home, delete it at the end."""
    cluster = Cluster(home or _choose_home(), settings=LIKE_A_SERVER)
    try:
        cluster.hold()
        yield cluster
    finally:
        cluster.release() if home else cluster.destroy()


def _choose_home() -> Path:
    name = f"emporium-bench-{os.getpid()}"
    folder = Path(tempfile.gettempdir()) / name
    return folder if Account.for_home(folder).can_reach(folder) else Path("/tmp") / name


def server_pid(cluster: Cluster) -> int:
    """Return the process above all backends."""
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


@contextmanager
def web(
    application: str, *, port: int, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Serve an application with granian; yield the id of its main process."""
    command = (
        *("-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", str(WORKERS), "--blocking-threads", str(THREADS)),
        *("--workers-kill-timeout", "5", "--log-level", "warning", application),
    )
    with _running(command, environment or {}, answers_at=f"http://127.0.0.1:{port}/") as pid:
        yield pid


@contextmanager
def shop(*, port: int, has_page_cache: bool = True) -> Iterator[int]:
    """Serve the shop of this process's settings, with its page cache or without."""
    environment = {} if has_page_cache else WITHOUT_PAGE_CACHE
    with web("config.wsgi:application", port=port, environment=environment) as pid:
        yield pid


@contextmanager
def provider(*, port: int) -> Iterator[int]:
    """Run the payment simulator, which forgets everything."""
    command = ("manage.py", "simulator", "--port", str(port), "--state", ":memory:")
    with _running(command, {}, answers_at=f"http://127.0.0.1:{port}/") as pid:
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


def free_port(*, in_a_row: int = 1) -> int:
    """Find a port for a server that starts later, the first of as many as are asked for.

    It lies below those that Linux and macOS give to clients (32768 and up), so that no connection
    of another program takes it meanwhile.
    """
    while True:
        port = 12_000 + secrets.randbelow(20_000)
        with ExitStack() as probes, suppress(OSError):
            for number in range(port, port + in_a_row):
                probes.enter_context(socket.socket()).bind(("127.0.0.1", number))
            return port
