"""A real web server with two worker processes over the test database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.db import connection

from bench.server import free_port

SECONDS_TO_START = 60


@contextmanager
def running_shop(port: int, *, simulator_url: str, log: Path) -> Iterator[str]:
    """Serve the shop at a port, with payments at a simulator, and give its address."""
    address = f"http://127.0.0.1:{port}"
    database = urlsplit(os.environ["DATABASE_URL"])
    environment = os.environ | {
        "DATABASE_URL": database._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "PORT": str(port),
        "SHOP_URL": address,
        "SIMULATOR_URL": simulator_url,
        "SECRET_KEY": settings.SECRET_KEY,
    }
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "2"),
        *("--blocking-threads", "8", "--backlog", "256", "--log-level", "error"),
        "config.wsgi:application",
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=environment, stdout=output, stderr=output
        )
    try:
        _wait_until_ready(server, address, log)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def new_port() -> int:
    return free_port()


def _wait_until_ready(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/livez", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"the server does not answer: {log.read_text(errors='replace')[-3000:]}")
