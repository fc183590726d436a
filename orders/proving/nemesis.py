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
from typing import Any

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
    *("checkout.sessions.retrieve", "checkout.sessions.expire", "refunds.create"),
    *("paypal.orders.create", "paypal.orders.get", "paypal.orders.get", "paypal.orders.capture"),
    *("paypal.captures.refund", "paypal.oauth2.token"),
)
SECONDS_ARMED = 10.0
LONGER_THAN_THE_SHOP_WAITS = 9.0
AHEAD = 2.0
MOST_AT_ONCE = 4
NOT_MET_HERE = ("orders.expiry.", "orders.offline.", "orders.fulfilment.")
"""Points of the sweep's end, and of what nobody does here."""


@dataclass
class Nemesis:
    """Breaks something every `every` seconds until it is told to stop.

    `faults` counts by kind what has struck. What is only waiting to strike counts for nothing, so
    more is armed until as much has struck as should have by then.
    """

    household: Household
    provider: str
    failpoints: Path
    crash_database: Callable[[], None]
    random: Random
    every: float
    faults: Counter[str] = field(default_factory=Counter)
    _armed: list[tuple[str, str, float]] = field(default_factory=list)
    _scripted: set[tuple[str, str]] = field(default_factory=set)
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
        began = time.monotonic()
        while not self._is_over.wait(self.every):
            self._count_struck()
            due = (time.monotonic() - began) / self.every + AHEAD
            for _deed in range(min(MOST_AT_ONCE, max(1, round(due - self.faults.total())))):
                self._break_something()

    def _break_something(self) -> None:
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
        waiting = self._list_waiting_at_provider()
        for scripted in list(self._scripted):
            if waiting is not None and scripted not in waiting:
                self._scripted.remove(scripted)
                self.faults[f"provider: {scripted[1].replace('_', ' ')}"] += 1

    def _fail_at_the_provider(self) -> None:
        operation, kind = self.random.choice(PROVIDER_CALLS), self.random.choice(PROVIDER_FAULTS)
        times = self.random.randint(1, 2)
        wishes: dict[str, object] = {"operation": operation, "kind": kind, "times": times}
        if kind.startswith("timeout"):
            wishes["seconds"] = LONGER_THAN_THE_SHOP_WAITS
        elif kind == "slow":
            wishes["seconds"] = self.random.uniform(0.5, 3.0)
        if (operation, kind) in self._scripted:
            return
        if self._tell_provider("POST", wishes) is not None:
            self._scripted.add((operation, kind))

    def _list_waiting_at_provider(self) -> set[tuple[str, str]] | None:
        """List which scripted faults no call has met yet; None when it cannot be told."""
        answer = self._tell_provider("GET") if self._scripted else {"faults": []}
        if answer is None:
            return None
        return {(each["operation"], each["kind"]) for each in answer["faults"]}

    def _tell_provider(self, method: str, wishes: dict[str, object] | None = None) -> Any:
        """Return what the provider says, None if nothing."""
        try:
            status, answer = ask_json(self.provider, method, "/_control/faults", wishes)
        except NoAnswer:
            return None
        return answer if status == 200 else None

    def _kill_a_process(self) -> None:
        names = [name for name in self.household.processes if name != "simulator"]
        name = self.random.choice(names)
        self.household.note_down(name)
        self.household[name].kill()
        self.faults[f"{self.household[name].kind} killed with -9"] += 1

    def _crash_the_database(self) -> None:
        for name in self.household.list_present("web"):
            self.household.note_down(name)
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
