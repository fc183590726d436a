"""The nemesis: every few moments something breaks, drawn by chance from a seed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from django.db import DatabaseError, connection

from orders.proving.browser import NoAnswer, ask_json
from orders.proving.processes import Household
from shop import failpoints
from shop.failpoints import Action

PROVIDER_FAULTS = (
    *("timeout_before", "timeout_after", "error_500_before", "error_500_after"),
    *("slow", "cut_body", "bad_json", "status_429", "status_409"),
)
PROVIDER_CALLS = (
    *("checkout.sessions.create", "checkout.sessions.create", "checkout.sessions.retrieve"),
    *("checkout.sessions.expire", "refunds.create"),
)
SECONDS_ARMED = 10.0
LONGER_THAN_THE_SHOP_WAITS = 9.0
NOT_MET_HERE = ("orders.expiry.", "orders.cancellation.refunding")
"""Points of the sweep's end and of staff, whom this process plays."""


@dataclass
class Nemesis:
    """Breaks something every `every` seconds until it is told to stop; `faults` counts by kind."""

    household: Household
    provider: str
    failpoints: Path
    crash_database: Callable[[], None]
    random: Random
    every: float
    faults: Counter[str] = field(default_factory=Counter)
    _armed: list[tuple[str, str, float]] = field(default_factory=list)
    _is_over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="nemesis", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Break nothing more, and take back what has not struck."""
        self._is_over.set()
        self._thread.join()
        self._count_struck()
        failpoints.disarm(self.failpoints)
        self._tell_provider("DELETE")

    def _work(self) -> None:
        while not self._is_over.wait(self.every):
            self._count_struck()
            deeds: dict[Callable[[], None], int] = {
                partial(self._strike_at_a_point, ("raise", "sleep")): 45,
                self._fail_at_the_provider: 45,
                self._end_connections: 10,
            }
            if self.household.may_fall() and not self._is_death_waiting:
                deeds = {
                    partial(self._strike_at_a_point, ("kill",)): 55,
                    self._kill_a_process: 30,
                    self._crash_the_database: 15,
                }
            (deed,) = self.random.choices(list(deeds), list(deeds.values()))
            deed()

    @property
    def _is_death_waiting(self) -> bool:
        return any(action == "kill" for _name, action, _when in self._armed)

    def _strike_at_a_point(self, actions: Sequence[Action]) -> None:
        names = [name for name in failpoints.POINTS if not name.startswith(NOT_MET_HERE)]
        name, action = self.random.choice(names), self.random.choice(actions)
        if failpoints.is_waiting(self.failpoints, name):
            return
        nth, seconds = self.random.randint(1, 3), self.random.uniform(0.2, 2.0)
        failpoints.arm(self.failpoints, name, action, nth=nth, seconds=seconds)
        self._armed.append((name, action, time.monotonic()))

    def _count_struck(self) -> None:
        """What is armed counts as a fault once it has struck; where nobody comes, it is taken back."""
        for armed in list(self._armed):
            name, action, when = armed
            if failpoints.is_waiting(self.failpoints, name):
                if time.monotonic() - when > SECONDS_ARMED:
                    failpoints.disarm(self.failpoints, name)
                    self._armed.remove(armed)
            else:
                self._armed.remove(armed)
                words = {"kill": "killed", "raise": "broken off", "sleep": "held up"}
                self.faults[f"{words[action]} at a failpoint"] += 1

    def _fail_at_the_provider(self) -> None:
        kind = self.random.choice(PROVIDER_FAULTS)
        wishes: dict[str, object] = {
            "operation": self.random.choice(PROVIDER_CALLS),
            "kind": kind,
            "times": self.random.randint(1, 2),
        }
        if kind.startswith("timeout"):
            wishes["seconds"] = LONGER_THAN_THE_SHOP_WAITS
        elif kind == "slow":
            wishes["seconds"] = self.random.uniform(0.5, 3.0)
        if self._tell_provider("POST", wishes):
            self.faults[f"provider: {kind.replace('_', ' ')}"] += 1

    def _tell_provider(self, method: str, wishes: dict[str, object] | None = None) -> bool:
        try:
            status, _answer = ask_json(self.provider, method, "/_control/faults", wishes)
        except NoAnswer:
            return False
        return status == 200

    def _kill_a_process(self) -> None:
        names = [name for name in self.household.processes if name != "simulator"]
        name = self.random.choice(names)
        self.household.note_down(name)
        self.household[name].kill()
        self.faults[f"{name} killed with -9"] += 1

    def _crash_the_database(self) -> None:
        self.household.note_down("web")
        self.crash_database()
        self.faults["database crashed and restarted"] += 1

    def _end_connections(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
        except DatabaseError:
            return
        finally:
            connection.close()
        self.faults["all database connections cut"] += 1
