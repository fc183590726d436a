"""A breaker per provider: one that is away is left alone for a moment instead of waited for.

After five failures in a row, all within a minute, calls fail at once for half a minute; then one
call is let through, and what becomes of it decides for the others. Each process keeps its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from payments.errors import ProviderUnavailable

MOST_FAILURES = 5
WINDOW_SECONDS = 60.0
PAUSE_SECONDS = 30.0

Status = Literal["closed", "open", "trial"]


@dataclass(frozen=True, slots=True)
class BreakerState:
    """How a breaker stands; `times_opened` only ever grows, as a counter for metrics does."""

    provider: str
    status: Status
    failures: int
    times_opened: int
    seconds_left: float


class Call:
    """One call under way; `answered` says that its failure is no sign of the provider being away."""

    def __init__(self) -> None:
        self.is_answered = False

    def answered(self) -> None:
        self.is_answered = True


class Breaker:
    """Counts the failures of one provider. Safe for threads; never holds its lock over a call."""

    def __init__(self, provider: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.provider = provider
        self._clock = clock
        self._lock = threading.Lock()
        self._times_opened = 0
        self._failures: list[float] = []
        self._open_until: float | None = None
        self._is_on_trial = False

    @contextmanager
    def watch(self) -> Iterator[Call]:
        """Let a call through and learn from it. Raises `ProviderUnavailable` while it is open.

        `ProviderUnavailable` counts as a failure unless the call was answered; any other error
        that was not answered, such as a refusal of our own, tells nothing.
        """
        is_trial = self._admit()
        call = Call()
        try:
            yield call
        except BaseException as error:
            if call.is_answered:
                self._close()
            elif isinstance(error, ProviderUnavailable):
                self._count_failure()
            elif is_trial:
                self._end_trial()
            raise
        self._close()

    def state(self) -> BreakerState:
        with self._lock:
            left = max(0.0, self._open_until - self._clock()) if self._open_until else 0.0
            status: Status = "closed"
            if self._open_until is not None:
                status = "open" if left and not self._is_on_trial else "trial"
            return BreakerState(
                self.provider, status, len(self._failures), self._times_opened, left
            )

    def reset(self) -> None:
        self._close()

    def _admit(self) -> bool:
        """Refuse, or let through; say whether it is the one call that decides."""
        with self._lock:
            if self._open_until is None:
                return False
            if self._is_on_trial or self._clock() < self._open_until:
                raise ProviderUnavailable(
                    _(
                        "The payment provider does not answer at the moment. "
                        "Please try again in a minute."
                    )
                )
            self._is_on_trial = True
            return True

    def _close(self) -> None:
        with self._lock:
            self._failures.clear()
            self._open_until = None
            self._is_on_trial = False

    def _count_failure(self) -> None:
        with self._lock:
            now = self._clock()
            lately = [at for at in self._failures if now - at < WINDOW_SECONDS]
            self._failures = [*lately[-MOST_FAILURES:], now]
            if self._is_on_trial or (
                self._open_until is None and len(self._failures) >= MOST_FAILURES
            ):
                self._open_until = now + PAUSE_SECONDS
                self._times_opened += 1
            self._is_on_trial = False

    def _end_trial(self) -> None:
        """Let the next call decide, because this one never reached the provider."""
        with self._lock:
            self._is_on_trial = False


_breakers: dict[str, Breaker] = {}
_breakers_lock = threading.Lock()


def breaker_of(provider: str) -> Breaker:
    with _breakers_lock:
        return _breakers.setdefault(provider, Breaker(provider))


def list_states() -> list[BreakerState]:
    """Return how this process stands with each provider that it has called."""
    with _breakers_lock:
        known = list(_breakers.values())
    return [breaker.state() for breaker in known]
