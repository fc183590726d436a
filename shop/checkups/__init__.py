"""The registry of checkups: what `manage.py doctor` looks at to explain how the shop is doing.

Each app declares its own in `<app>/checkups`. A checkup looks at one thing the shop depends on and
answers with one finding; whatever it raises becomes a fault with the cure it was declared with.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing is doing; the text says what to do unless all is well."""

    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Checkup:
    """`cure` is what to do when `look` raises; `needs_database` runs after the database's own."""

    name: str
    look: Callable[[], Finding]
    cure: str
    needs_database: bool


@dataclass(frozen=True, slots=True)
class Examined:
    name: str
    finding: Finding


Look = Callable[[], Finding]

DATABASE = "database"
SECONDS = 5.0
_registry: dict[str, Checkup] = {}


def ok(text: str) -> Finding:
    return Finding(State.OK, text)


def warning(text: str) -> Finding:
    return Finding(State.WARNING, text)


def fault(text: str) -> Finding:
    return Finding(State.FAULT, text)


def checkup(name: str, *, cure: str, needs_database: bool = False) -> Callable[[Look], Look]:
    """Declare a checkup. Those that need no database wait for the network side by side."""

    def declare(look: Look) -> Look:
        if name in _registry:
            raise ValueError(f"checkup {name} is declared twice")
        _registry[name] = Checkup(name, look, cure, needs_database)
        return look

    return declare


def list_checkups() -> list[Checkup]:
    return list(_registry.values())


def examine(*, seconds: float = SECONDS) -> Iterator[Examined]:
    """Look at everything and yield the findings in the order of declaration.

    Checkups without a database run in threads of their own and are given up after `seconds`, so
    that one silent server does not keep the others from being told.
    """
    deadline = time.monotonic() + seconds
    started = {each.name: _Patient(each) for each in list_checkups() if not each.needs_database}
    has_database = True
    for each in list_checkups():
        if not each.needs_database:
            finding = started[each.name].wait(until=deadline, seconds=seconds)
        elif has_database:
            finding = _look(each)
        else:
            finding = warning("Not looked at, because the database does not answer.")
        if each.name == DATABASE:
            has_database = finding.state is not State.FAULT
        yield Examined(each.name, finding)


def _look(checkup: Checkup) -> Finding:
    try:
        return checkup.look()
    except Exception as error:
        reason = " ".join(str(error).split())[:300].rstrip(".?!") or "no reason was given"
        return fault(f"{type(error).__name__}: {reason}. {checkup.cure}")


class _Patient:
    """One checkup in a thread that nobody has to wait for."""

    def __init__(self, checkup: Checkup) -> None:
        self._checkup = checkup
        self._finding: Finding | None = None
        self._thread = threading.Thread(target=self._run, name=checkup.name, daemon=True)
        self._thread.start()

    def wait(self, *, until: float, seconds: float) -> Finding:
        self._thread.join(timeout=max(0.0, until - time.monotonic()))
        return self._finding or fault(f"No answer within {seconds:g} seconds. {self._checkup.cure}")

    def _run(self) -> None:
        self._finding = _look(self._checkup)
