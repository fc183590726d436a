"""One run: a shop of one size, each page of it driven, made anew every time and then cached."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from bench import cpu, report, server
from bench.pages import BARE, PAGES, World
from config.run import ROOT

WINDOWS = 3
WARM_UP_SECONDS = 1.5
FIRST_VISITS = 16
"""So many connections that each worker gets some, and has read what it keeps in memory."""
SECONDS_OF_A_FIRST_VISIT = 180
EMPTY = World(0, [], "", {}, [], [], [], [])


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run everything there is to measure, and print the tables while they grow."""
    with server.place(options.keep) as here:
        run = Run(options, here, bare=measure_bare(options))
        run.make_shop()
        run.measure_pages()
    return report.as_json(
        {
            "size": options.size,
            "clients": options.clients,
            "seconds": options.seconds,
            **run.remarks,
        },
        run.bare,
        run.results,
    )


def measure_bare(options: argparse.Namespace) -> report.Measured:
    port = server.free_port()
    with server.web("bench.bare:application", port=port) as pid:
        return drive(BARE.name, options, port=port, roots={"web": pid}, world=EMPTY)


class Run:
    """`remarks` are figures of the shop as a whole: seconds to fill it, memory and such."""

    def __init__(
        self, options: argparse.Namespace, here: server.Place, *, bare: report.Measured
    ) -> None:
        self.options, self.here, self.bare = options, here, bare
        self.world = EMPTY
        self.remarks: dict[str, float] = {}
        self.results: dict[str, report.Result] = {}

    def make_shop(self) -> None:
        """Migrate and fill the database, unless it is, and collect the static files meanwhile."""
        collecting = subprocess.Popen(
            (sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"),
            cwd=ROOT,
        )
        try:
            import django

            django.setup()
            from django.core.management import call_command
            from django.db import connection

            from bench import catalogue

            call_command("migrate", interactive=False, verbosity=0)
            if not catalogue.is_filled(self.options.size):
                self._fill()
            self.world = catalogue.describe(self.options.size)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_database_size(current_database()) / 1048576.0")
                self.remarks["database_mb"] = float(cursor.fetchone()[0])
            if collecting.wait():
                raise server.NotStarted("The static files could not be collected.")
        finally:
            collecting.kill()
            collecting.wait()
        print(f"\r{self.options.size:,} products, {self.remarks['database_mb']:,.0f} MB{'':<40}")

    def _fill(self) -> None:
        from bench import catalogue

        began = time.monotonic()
        catalogue.fill(
            self.options.size,
            tree=self.options.categories,
            tell=lambda text: print(f"\r{text:<79}", end="", flush=True),
        )
        self.remarks["fill_seconds"] = seconds = time.monotonic() - began
        print(f"\rFilled in {seconds:.0f} s{'':<60}")

    def measure_pages(self) -> None:
        with server.provider(port=self.here.provider_port) as provider:
            roots = {"provider": provider, "database": server.server_pid(self.here.cluster)}
            self._measure_made(roots)
            self._measure_cached(roots)

    def _measure_made(self, roots: Mapping[str, int]) -> None:
        from bench.weight import weigh

        with server.shop(port=self.here.port, has_page_cache=False) as web:
            self.remarks["first_listing_seconds"] = self._visit_first()
            print(f"\n{report.heading()}\n{report.line('bare view', self.bare, self.bare)}")
            for name in self.options.pages:
                weight = weigh(PAGES[name], self.world)
                made = self._drive(name, {**roots, "web": web}, self.world)
                self.results[name] = report.Result(weight, made)
                print(report.line(name, made, self.bare, weight), flush=True)
            self.remarks["web_memory_mb"] = cpu.read_memory_mb(web)

    def _measure_cached(self, roots: Mapping[str, int]) -> None:
        public = [name for name in self.options.pages if PAGES[name].is_public]
        if not public:
            return
        with server.shop(port=self.here.port) as web:
            self._visit_first()
            print("\nFrom the page cache:", flush=True)
            for name in public:
                cached = self._drive(name, {**roots, "web": web}, self.world.few())
                self.results[name] = replace(self.results[name], cached=cached)
                print(report.line(name, cached, self.bare), flush=True)

    def _visit_first(self) -> float:
        """Open a listing from many connections; return the seconds until all had an answer."""
        address = self.here.origin + next(iter(self.world.listings))

        def visit(_number: int) -> None:
            with urllib.request.urlopen(address, timeout=SECONDS_OF_A_FIRST_VISIT) as answer:
                answer.read()

        began = time.monotonic()
        with ThreadPoolExecutor(FIRST_VISITS) as pool:
            list(pool.map(visit, range(FIRST_VISITS)))
        return time.monotonic() - began

    def _drive(self, name: str, roots: Mapping[str, int], world: World) -> report.Measured:
        return drive(name, self.options, port=self.here.port, roots=roots, world=world)


def drive(
    page: str,
    options: argparse.Namespace,
    *,
    port: int,
    roots: Mapping[str, int],
    world: World,
) -> report.Measured:
    """Have the load generator, a process of its own, visit a page for a while."""
    return report.summarise(load(page, options, port=port, roots=roots, world=world))


def load(
    page: str,
    options: argparse.Namespace,
    *,
    port: int,
    roots: Mapping[str, int],
    world: World,
    **more: Any,
) -> list[dict[str, Any]]:
    """Return what the load generator saw, window by window; `more` is of its plan."""
    plan = {
        "page": page,
        "port": port,
        "clients": options.clients,
        "warm_up": min(WARM_UP_SECONDS, options.seconds),
        "seconds": options.seconds,
        "windows": WINDOWS,
        "roots": roots,
        "world": asdict(world),
        **more,
    }
    driver = subprocess.run(
        (sys.executable, "-m", "bench.load"),
        cwd=ROOT,
        input=json.dumps(plan),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    windows: list[dict[str, Any]] = json.loads(driver.stdout)
    return windows
