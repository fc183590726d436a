"""The shop's own processes, killed and started again as a container's supervisor does."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from orders.proving.browser import NoAnswer, ask

MANAGE = (sys.executable, "manage.py")
LOOK_EVERY = 0.05
SECONDS_TO_STOP = 10
READY_SECONDS = 3.0
MIN_REST = 2.0
"""What stands again is left alone for so many seconds at least, so that something is sold at all."""


class Process:
    """One process of the shop with all its children; its output goes to a file."""

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        *,
        environment: Mapping[str, str],
        log: Path,
        is_ready: Callable[[], bool] | None = None,
    ) -> None:
        self.name = name
        self.kind = name.partition("-")[0]
        self.starts = 0
        self.is_ready = is_ready or (lambda: True)
        self.says_when_ready = is_ready is not None
        self._command, self._environment, self._log = command, environment, log
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._child = subprocess.Popen(
                self._command,
                cwd=settings.BASE_DIR,
                env={**os.environ, **_keeping_bytecode(), **self._environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.starts += 1

    def kill(self) -> None:
        """End it at once with kill -9, children and all."""
        child = self._child  # Meanwhile there may be another.
        if child is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def stop(self) -> None:
        """Ask it to end, then make sure."""
        if self._child is not None:
            self._child.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(SECONDS_TO_STOP)
            self.kill()


def _keeping_bytecode() -> dict[str, str]:
    """Let a process that is started again and again compile our modules only the first time.

    Containers often say PYTHONDONTWRITEBYTECODE; a start then takes three times as long.
    """
    if not os.environ.get("PYTHONDONTWRITEBYTECODE"):
        return {}
    folder = settings.BASE_DIR / "var" / "bytecode"
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder)}


class Household:
    """Processes that are started again when they end, and how long each took to be back."""

    def __init__(self, processes: list[Process]) -> None:
        self.processes = {process.name: process for process in processes}
        self.recoveries: list[tuple[str, float]] = []
        self._is_closing = threading.Event()
        self._lock = threading.Lock()
        self._down_since: dict[str, float] = {}
        self._absent: set[str] = set()
        self._whole_since = time.monotonic()
        self._last_absence = 0.0
        self._nurse = threading.Thread(target=self._mend, name="supervisor", daemon=True)

    def __getitem__(self, name: str) -> Process:
        return self.processes[name]

    def start(self) -> None:
        for process in self.processes.values():
            process.start()
        self._nurse.start()

    def may_fall(self) -> bool:
        """Say whether all are up, and have been for at least as long as the last was away."""
        with self._lock:
            rested = time.monotonic() - self._whole_since
            return not self._down_since and rested >= max(MIN_REST, self._last_absence)

    def note_down(self, name: str) -> None:
        """Count from now how long it takes until the process is ready."""
        with self._lock:
            self._down_since.setdefault(name, time.monotonic())

    def list_present(self, kind: str) -> list[str]:
        """Name the processes of a kind that run and have been ready since they were started."""
        return [
            name
            for name, process in self.processes.items()
            if process.kind == kind and name not in self._absent and process.is_running
        ]

    def wait_until_ready(self, *, seconds: float = 90) -> None:
        """Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        for process in self.processes.values():
            while not (process.is_running and process.is_ready()):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{process.name} is not ready after {seconds:.0f} seconds")
                time.sleep(LOOK_EVERY)

    def stop(self) -> None:
        self._is_closing.set()
        if self._nurse.is_alive():
            self._nurse.join()
        for process in reversed(self.processes.values()):
            process.stop()

    def _mend(self) -> None:
        while not self._is_closing.wait(LOOK_EVERY):
            for name, process in self.processes.items():
                if not process.is_running:
                    self._absent.add(name)
                    self.note_down(name)
                    process.kill()  # What is left of its children.
                    process.start()
                elif name in self._down_since and process.is_ready():
                    self._absent.discard(name)
                    with self._lock:
                        began = self._down_since.pop(name)
                        self._whole_since = time.monotonic()
                        self._last_absence = self._whole_since - began
                    if process.says_when_ready:
                        self.recoveries.append((process.kind, self._last_absence))


def web(
    environment: Mapping[str, str], *, port: int, log: Path, workers: int = 2, name: str = "web"
) -> Process:
    """The web process, as `make run` and the container start it."""
    command = (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)),
        *("--blocking-threads", "8", "--log-level", "error", "config.wsgi:application"),
    )
    origin = f"http://127.0.0.1:{port}"
    return Process(
        name, command, environment=environment, log=log, is_ready=lambda: answers(origin)
    )


def relay(environment: Mapping[str, str], *, log: Path) -> Process:
    command = (*MANAGE, "relay", "--skip-checks")
    return Process("relay", command, environment=environment, log=log)


def simulator(environment: Mapping[str, str], *, port: int, state: Path, log: Path) -> Process:
    command = (*MANAGE, "simulator", "--port", str(port), "--state", str(state))
    origin = f"http://127.0.0.1:{port}"
    return Process(
        "simulator",
        command,
        environment=environment,
        log=log,
        is_ready=lambda: answers(origin, "/_control/faults"),
    )


def answers(origin: str, address: str = "/readyz") -> bool:
    try:
        answer, _text = ask(origin, "GET", address, headers={}, seconds=READY_SECONDS)
    except NoAnswer:
        return False
    return answer.status == 200


@contextmanager
def running(processes: list[Process]) -> Iterator[Household]:
    """Run processes, mending them, for the length of a block. Raises TimeoutError."""
    household = Household(processes)
    try:
        household.start()
        household.wait_until_ready()
        yield household
    finally:
        household.stop()


def free_port() -> int:
    """Find a port for a server, below those that systems give to clients."""
    while True:
        port = 12_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
