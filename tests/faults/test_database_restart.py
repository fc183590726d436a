"""PostgreSQL dies and comes back in the middle of a checkout: the cart is safe, nobody restarts us."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from bench.server import free_port
from config.postgres import Cluster
from config.postgres_programs import find_programs
from payments.simulator.running import Simulator, running_simulator
from tests import processes
from tests.factories.orders import TYPED
from tests.forms import read_form
from tests.services import new_folder

SECONDS_TO_RECOVER = 10


class Database:
    """A PostgreSQL of this test's own, which keeps what it has committed."""

    def __init__(self) -> None:
        self.cluster = Cluster(new_folder())
        self.cluster.hold()

    def control(self, *what: str) -> None:
        programs = find_programs(self.cluster.account, major=self.cluster._major())
        done = self.cluster._run([programs.path("pg_ctl"), *what, "-w", "-D", "data"])
        assert done.returncode == 0, done.stdout

    def crash(self) -> None:
        self.control("stop", "-m", "immediate")

    def start(self) -> None:
        self.cluster._start()

    def count(self, table: str) -> int:
        with psycopg.connect(self.cluster.url()) as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert row
        return int(row[0])


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database()
    try:
        yield database
    finally:
        database.cluster.destroy()


@pytest.fixture
def provider() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


def test_a_checkout_survives_a_database_that_is_killed_and_started_again(
    database: Database, provider: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    known = {"DATABASE_URL": database.cluster.url(), "LOG_LEVEL": "CRITICAL"}
    monkeypatch.setattr(
        processes, "environment", lambda **chosen: {**os.environ, **known, **chosen}
    )
    subprocess.run(
        (sys.executable, "-m", "tests.faults.small_shop"),
        env={**os.environ, **known, "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=processes.ROOT,
        check=True,
    )
    with (
        processes.running_web(
            port=port, SHOP_URL=address, SIMULATOR_URL=provider.url, PAGE_CACHE_MB="16"
        ) as web,
        httpx.Client(base_url=web, timeout=20) as shopper,
    ):
        product = shopper.get("/products/dune-mug/")
        shopper.post("/cart/add/", data=read_form(product, "/cart/add/"))
        form = read_form(shopper.get("/checkout/"), "/checkout/") | TYPED | {"action": "place"}
        headers = {"Referer": f"{web}/checkout/"}

        database.crash()
        refused = shopper.post("/checkout/", data=form, headers=headers)
        looked = shopper.get("/products/dune-mug/")
        alive, ready = shopper.get("/livez"), shopper.get("/readyz")
        database.start()
        back_at = time.monotonic()
        answer = processes.wait_until(
            lambda: _placed(shopper.post("/checkout/", data=form, headers=headers)),
            "the same form orders",
            seconds=SECONDS_TO_RECOVER,
        )
        assert time.monotonic() - back_at < SECONDS_TO_RECOVER
        again = shopper.post("/checkout/", data=form, headers=headers)
        provider.approve(
            urlsplit(answer.headers["location"]).path.rpartition("/")[2], webhook="never"
        )
        number = _number(shopper)
        shopper.get(f"/orders/{number}/returned/")
        order = shopper.get(f"/orders/{number}/")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "Your cart is safe, and nothing was charged by this page." in refused.text
    assert (looked.status_code, looked.text) == (200, product.text)
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert again.headers["location"] == answer.headers["location"]
    assert "Thank you for your order" in order.text
    assert database.count("orders_order") == 1


def _placed(answer: httpx.Response) -> httpx.Response | None:
    assert answer.status_code in (302, 503), answer.text[-2000:]
    return answer if answer.status_code == 302 else None


def _number(shopper: httpx.Client) -> str:
    """Read the order's number off the page that an empty checkout leads to."""
    answer = shopper.get("/checkout/")
    return str(answer.headers["location"]).strip("/").rpartition("/")[2]
