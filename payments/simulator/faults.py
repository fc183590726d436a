"""Scripted faults: the next calls of an operation fail in a chosen way.

Kinds that end in `_before` touch nothing; kinds that end in `_after` do the work, keep the true
answer for the idempotency key, and only then fail towards the caller.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from payments.simulator.errors import LockTimeout, ProviderFailure, RateLimited
from payments.simulator.messages import HTML, Answer, HangUp

KINDS = frozenset(
    {
        "timeout_before",
        "timeout_after",
        "error_500_before",
        "error_500_after",
        "slow",
        "cut_body",
        "bad_json",
        "status_429",
        "status_409",
    }
)
ANY_OPERATION = "*"
DEFAULT_SECONDS = {"slow": 3.0}
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class ScriptedFault:
    """One fault waiting to happen; `seconds` is how long the caller is kept waiting."""

    operation: str
    kind: str
    times: int
    seconds: float


class FaultQueue:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[ScriptedFault] = []

    def add(
        self, operation: str, kind: str, *, times: int = 1, seconds: float | None = None
    ) -> ScriptedFault:
        """Let the next `times` calls of the operation (`*` for any) fail."""
        if kind not in KINDS:
            raise ValueError(f"Unknown kind of fault: {kind}. Known: {', '.join(sorted(KINDS))}.")
        if seconds is None:
            seconds = DEFAULT_SECONDS.get(kind, TIMEOUT_SECONDS)
        fault = ScriptedFault(operation, kind, times, seconds)
        with self._lock:
            self._waiting.append(fault)
        return fault

    def take(self, operation: str) -> ScriptedFault | None:
        """Return the oldest fault meant for this operation, using it up once."""
        with self._lock:
            for position, fault in enumerate(self._waiting):
                if fault.operation in (operation, ANY_OPERATION):
                    if fault.times > 1:
                        self._waiting[position] = replace(fault, times=fault.times - 1)
                    else:
                        del self._waiting[position]
                    return fault
        return None

    def list_waiting(self) -> list[ScriptedFault]:
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()


Pause = Callable[[float], object]


def strike_before(fault: ScriptedFault | None, pause: Pause) -> None:
    """Fail before any work is done, if the fault says so."""
    if fault is None:
        return
    match fault.kind:
        case "timeout_before":
            pause(fault.seconds)
            raise HangUp
        case "error_500_before":
            raise ProviderFailure("Something went wrong on the provider's side.")
        case "status_429":
            raise RateLimited("Too many requests in a short time.", code="rate_limit")
        case "status_409":
            raise LockTimeout("Another request holds this object.", code="lock_timeout")


def linger(fault: ScriptedFault | None, pause: Pause) -> None:
    """Make the work itself slow, if the fault says so."""
    if fault and fault.kind == "slow":
        pause(fault.seconds)


def strike_after(fault: ScriptedFault | None, answer: Answer, pause: Pause) -> Answer:
    """Spoil the answer to work that was done, if the fault says so."""
    if fault is None:
        return answer
    match fault.kind:
        case "timeout_after":
            pause(fault.seconds)
            raise HangUp
        case "error_500_after":
            raise ProviderFailure("Something went wrong on the provider's side.")
        case "cut_body":
            return replace(answer, is_cut=True)
        case "bad_json":
            return Answer(200, b"<html><title>Bad gateway</title></html>", HTML, answer.headers)
    return answer
