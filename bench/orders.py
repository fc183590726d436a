"""Orders a second: the whole way from an empty cart to a paid order, over HTTP, as a shopper goes.

Each visit puts one thing into a cart, opens the checkout, orders, pays at the simulator and comes
back, which settles the payment; the webhook is held back and no relay runs, so mails stay rows. It is
done with everybody buying something else, with everybody buying the same thing, and with more buyers
than pieces. Beside it stands what PostgreSQL alone does with the statement that an order cannot do
without, a conditional UPDATE of a stock level, in the same minute on the same machine.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from random import Random
from typing import Any

import psycopg

from bench import measuring, report, server
from bench.pages import BUY, STEPS, Response, Visit, World

PLENTY = 1_000_000
BUYERS, PIECES = 50, 10
ROWS = 1_000
_MAKE_ROWS = """
CREATE TABLE bench_level (id int PRIMARY KEY, on_hand int NOT NULL, allocated int NOT NULL)
"""
_TAKE = (
    "UPDATE bench_level SET allocated = allocated + 1 WHERE id = %s AND on_hand - allocated >= 1"
)
_STOCK_UP = """
WITH more AS (
    UPDATE catalog_stocklevel SET on_hand = allocated + %(pieces)s
    WHERE variant_id = ANY(%(variants)s) RETURNING id, on_hand
)
INSERT INTO catalog_stockmovement (level_id, kind, on_hand_change, allocated_change, reference, reason)
SELECT more.id, 'adjustment', more.on_hand - coalesce(sum(m.on_hand_change), 0), 0, 'bench', ''
FROM more LEFT JOIN catalog_stockmovement m ON m.level_id = more.id
GROUP BY more.id, more.on_hand
HAVING more.on_hand <> coalesce(sum(m.on_hand_change), 0)
"""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure spread, hot and rush, print a table, and return all of it; `faults` should be empty."""
    with server.place(options.keep) as here:
        run = measuring.Run(options, here, bare=measuring.measure_bare(options))
        run.make_shop()
        with server.provider(port=here.provider_port) as provider:
            roots = {"provider": provider, "database": server.server_pid(here.cluster)}
            with server.shop(port=here.port) as web:
                orders = _Orders(options, here, run.world, {**roots, "web": web})
                return {"bare_view": asdict(run.bare), **orders.measure(run.bare)}


class _Orders:
    def __init__(
        self,
        options: argparse.Namespace,
        here: server.Place,
        world: World,
        roots: Mapping[str, int],
    ) -> None:
        self.options, self.here, self.world, self.roots = options, here, world, roots
        self.faults: list[str] = []

    def measure(self, view: report.Measured) -> dict[str, Any]:
        from shop import invariants

        hot = replace(self.world, variants=self.world.variants[:1])
        stock_up(self.world.variants, PLENTY)
        before = self._bare()
        spread, spread_steps = self._drive("spread", self.world)
        hottest, hot_steps = self._drive("hot", hot)
        after = self._bare()
        bare = {name: statistics.mean((before[name], after[name])) for name in before}
        rush = self._rush(hot)
        statements = count_statements(self.world, self.here.provider_port)
        self.faults += [
            f"{each.id} {each.title}: {each.detail}" for each in invariants.find_violations()
        ]
        print(table(spread, hottest, bare, view))
        print(steps_table(spread_steps, statements))
        print(f"\n{BUYERS} buyers, {PIECES} pieces: {rush} orders. Invariants: "
              f"{'all hold' if not self.faults else 'BROKEN'}.")  # fmt: skip
        return {
            "size": self.options.size,
            "clients": self.options.clients,
            "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0],
            "bare_updates_per_second": bare,
            "spread": {**asdict(spread), "steps": spread_steps},
            "hot": {**asdict(hottest), "steps": hot_steps},
            "statements": statements,
            "rush": {"buyers": BUYERS, "pieces": PIECES, "orders": rush},
            "faults": self.faults,
        }

    def _drive(self, name: str, world: World) -> tuple[report.Measured, dict[str, Any]]:
        windows = measuring.load(
            BUY.name,
            self.options,
            port=self.here.port,
            roots=self.roots,
            world=world,
            provider_port=self.here.provider_port,
        )
        measured = report.summarise(windows)
        self.faults += [
            f"{name}: {what}, {count} times" for what, count in measured.failures.items()
        ]
        return measured, _summarise_steps(windows)

    def _rush(self, world: World) -> int:
        """Let everybody at once buy of too little; return how many orders were placed."""
        from orders.models import Order

        stock_up(world.variants, PIECES)
        had = Order.objects.count()
        options = argparse.Namespace(**vars(self.options) | {"clients": BUYERS})
        measuring.load(
            BUY.name,
            options,
            port=self.here.port,
            roots=self.roots,
            world=world,
            provider_port=self.here.provider_port,
            is_rush=True,
        )
        placed = Order.objects.count() - had
        if placed != PIECES:
            self.faults.append(f"rush: {placed} orders for {PIECES} pieces")
        return placed

    def _bare(self) -> dict[str, float]:
        """Return conditional UPDATEs a second by as many connections, on many rows and on one."""
        address = self.here.cluster.url()
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS bench_level")
            connection.execute(_MAKE_ROWS)
            connection.execute(
                "INSERT INTO bench_level SELECT n, 1000000000, 0 FROM generate_series(0, %s) AS n",
                [ROWS - 1],
            )
            rates = {
                name: _count_updates(address, choose, self.options)
                for name, choose in (
                    ("many rows", lambda random: random.randrange(ROWS)),
                    ("one row", lambda random: 0),
                )
            }
            connection.execute("DROP TABLE bench_level")
        return rates


def _count_updates(
    address: str, choose: Callable[[Random], int], options: argparse.Namespace
) -> float:
    ends = threading.Event()

    def take(number: int) -> int:
        random, count = Random(number), 0
        with psycopg.connect(address, autocommit=True, prepare_threshold=1) as connection:
            while not ends.is_set():
                count += connection.execute(_TAKE, [choose(random)]).rowcount
        return count

    with ThreadPoolExecutor(options.clients) as pool:
        began = time.monotonic()
        counts = [pool.submit(take, number) for number in range(options.clients)]
        time.sleep(options.seconds)
        ends.set()
        total = sum(count.result() for count in counts)
        return total / (time.monotonic() - began)


def stock_up(variants: list[int], pieces: int) -> None:
    """Leave exactly so many pieces of each variant to be sold, booked as a count of the shelf."""
    from django.db import connection, transaction

    from catalog.models import Product
    from catalog.services import summaries

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_STOCK_UP, {"pieces": pieces, "variants": variants})
        products = Product.objects.filter(variants__in=variants).order_by("pk")
        summaries.refresh(list(products.values_list("pk", flat=True).distinct()))


def count_statements(world: World, provider_port: int) -> dict[str, int]:
    """Count the SQL statements of each step, by Django's test client with warm caches."""
    import httpx
    from django.db import connection
    from django.test import Client

    counts: dict[str, int] = {}
    client = Client(headers={"host": "127.0.0.1"})

    def walk(visit: Visit) -> None:
        request = next(visit)
        while True:
            seen = 0

            def count(execute: Callable[..., Any], *arguments: Any) -> Any:
                nonlocal seen
                seen += 1
                return execute(*arguments)

            if request.is_at_provider:
                url = f"http://127.0.0.1:{provider_port}{request.path}"
                paid = httpx.post(url, data=dict(request.form or {}))
                answer = Response(paid.status_code, paid.content, "", paid.headers["location"])
            else:
                with connection.execute_wrapper(count):
                    got = (
                        client.get(request.path)
                        if request.form is None
                        else client.post(request.path, request.form)
                    )
                counts[request.step] = seen
                answer = Response(got.status_code, got.content, "", got.headers.get("location", ""))
            try:
                request = visit.send(answer)
            except StopIteration:
                return

    for _time in range(2):
        client.cookies.clear()
        walk(BUY.visit(world, Random(1)))
    return counts


def _summarise_steps(windows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Give the median and the 95th percentile of each step, in milliseconds."""
    steps: dict[str, list[float]] = {}
    for window in windows:
        for step, seconds in window["steps"].items():
            steps.setdefault(step, []).extend(seconds)
    found = {}
    for step, seconds in steps.items():
        ordered = sorted(seconds)
        found[step] = {
            "p50_ms": 1000 * statistics.median(ordered),
            "p95_ms": 1000 * ordered[math.ceil(0.95 * len(ordered)) - 1],
        }
    return found


def table(
    spread: report.Measured,
    hot: report.Measured,
    bare: Mapping[str, float],
    view: report.Measured,
) -> str:
    """Lay out both; "x bare" is CPU by that of a bare view, "ratio" by bare UPDATEs a second."""
    heads = ("orders/s", "p50 ms", "p95 ms", "CPU ms", "web", "db", "provider", "load", "x bare", "updates/s", "ratio")  # fmt: skip
    lines = [f"\n{'':<10}" + "".join(f"{head:>11}" for head in heads)]
    for name, each, rate in (("spread", spread, bare["many rows"]), ("hot", hot, bare["one row"])):
        figures = (
            f"{each.per_second:.1f}", f"{each.p50_ms:.0f}", f"{each.p95_ms:.0f}",
            f"{each.cpu_ms:.1f}", f"{each.web_cpu_ms:.1f}", f"{each.database_cpu_ms:.1f}",
            f"{each.provider_cpu_ms:.1f}", f"{each.load_cpu_ms:.1f}",
            f"{each.cpu_ms / view.cpu_ms:.0f}", f"{rate:,.0f}", f"1 : {rate / each.per_second:,.0f}" if each.per_second else "-",
        )  # fmt: skip
        lines.append(f"{name:<10}" + "".join(f"{figure:>11}" for figure in figures))
    return "\n".join(lines)


def steps_table(steps: Mapping[str, Mapping[str, float]], statements: Mapping[str, int]) -> str:
    lines = [f"\n{'step, spread':<22}{'p50 ms':>10}{'p95 ms':>10}{'SQL':>6}"]
    lines += [
        f"{step:<22}{times['p50_ms']:>10.1f}{times['p95_ms']:>10.1f}{statements.get(step, ''):>6}"
        for step, times in sorted(steps.items(), key=lambda found: STEPS.index(found[0]))
    ]
    return "\n".join(lines)
