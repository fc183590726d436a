"""Measure the pages: start a shop of a given size, drive it, print a table, stop everything."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import report, server
from bench.pages import BARE, PAGES, World
from config.postgres import DatabaseNotStarted
from config.run import ROOT

WINDOWS = 3
WARM_UP_SECONDS = 1.5
EMPTY = World(0, [], "", {}, [], [])
OF_THE_SHELL = (
    *("REDIS_URL", "CELERY_BROKER_URL", "EMAIL_URL", "S3_BUCKET", "ALLOWED_HOSTS", "SHOP_URL"),
    *("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE", "PAYMENT_SIMULATOR"),
    *("SHOP_LANGUAGE", "SHOP_CURRENCY", "SHOP_COUNTRY", "SECRET_KEY"),
)


def main() -> int:
    if sys.argv[1:2] == ["--lighthouse"]:
        from bench import lighthouse

        return lighthouse.main(sys.argv[2:])
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in OF_THE_SHELL:
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    try:
        results = measure(options)
    except (server.NotStarted, DatabaseNotStarted) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    path = options.json or ROOT / "bench" / "results" / time.strftime(
        f"{options.size}-%Y%m%d-%H%M%S.json"
    )
    report.save(results, path)
    print(f"\nWritten to {path}")
    failed = [name for name, page in results["pages"].items() if page["failures"]]
    for name in failed:
        print(f"{name} failed: {results['pages'][name]['failures']}", file=sys.stderr)
    return 1 if failed else 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--size", type=_positive(int), default=10_000, help="products (%(default)s)"
    )
    parser.add_argument("--pages", type=_pages, default=list(PAGES), help=", ".join(PAGES))
    parser.add_argument("--clients", type=_positive(int), default=8, help="at once (%(default)s)")
    parser.add_argument(
        "--seconds",
        type=_positive(float),
        default=2.0,
        help=f"length of each of the {WINDOWS} windows (%(default)s)",
    )
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument(
        "--lighthouse",
        action="store_true",
        help="as the first one: Lighthouse instead; see its --help",
    )
    return parser.parse_args()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run everything there is to measure, and print the table while it grows."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emporium-bench-")))
        bare_port = server.free_port()
        with server.web("bench.bare:application", port=bare_port, environment={}) as pid:
            bare = _drive(BARE.name, options, port=bare_port, roots={"web": pid}, world=EMPTY)

        cluster = stack.enter_context(server.database())
        port, provider_port = server.free_port(), server.free_port()
        os.environ.update(
            DJANGO_SETTINGS_MODULE="bench.settings",
            BENCH_STATIC_ROOT=str(folder / "static"),
            MEDIA_ROOT=str(folder / "media"),
            DATABASE_URL=cluster.url(),
            EMPORIUM_MODE="trial",
            DEBUG="false",
            STATIC_HASHED="true",
            LOG_LEVEL="ERROR",
            PORT=str(port),
            SIMULATOR_URL=f"http://127.0.0.1:{provider_port}",
        )
        world = _make_shop(options.size)
        roots = {
            "provider": stack.enter_context(server.provider(port=provider_port, environment={})),
            "web": stack.enter_context(
                server.web("config.wsgi:application", port=port, environment={})
            ),
            "database": server.server_pid(cluster),
        }
        print(f"\n{report.heading()}\n{report.line('bare view', bare, bare)}", flush=True)
        pages = {}
        for name in options.pages:
            from bench.weight import weigh

            weight = weigh(PAGES[name], world)
            measured = _drive(name, options, port=port, roots=roots, world=world)
            pages[name] = (measured, weight)
            print(report.line(name, measured, bare, weight), flush=True)
    chosen = {"size": options.size, "clients": options.clients, "seconds": options.seconds}
    return report.as_json(chosen, bare, pages)


def _make_shop(size: int) -> World:
    """Migrate and fill the database, and collect the static files meanwhile."""
    began = time.monotonic()
    collecting = subprocess.Popen(
        (sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"), cwd=ROOT
    )
    try:
        import django

        django.setup()
        from django.core.management import call_command

        from bench import catalogue

        call_command("migrate", interactive=False, verbosity=0)
        catalogue.fill(size, tell=lambda text: print(f"\r{text} ", end="", flush=True))
        world = catalogue.describe(size)
        if collecting.wait():
            raise server.NotStarted("The static files could not be collected.")
    finally:
        collecting.kill()
        collecting.wait()
    print(f"in {time.monotonic() - began:.0f} s")
    return world


def _drive(
    page: str,
    options: argparse.Namespace,
    *,
    port: int,
    roots: Mapping[str, int],
    world: World,
) -> report.Measured:
    plan = {
        "page": page,
        "port": port,
        "clients": options.clients,
        "warm_up": min(WARM_UP_SECONDS, options.seconds),
        "seconds": options.seconds,
        "windows": WINDOWS,
        "roots": roots,
        "world": asdict(world),
    }
    driver = subprocess.run(
        (sys.executable, "-m", "bench.load"),
        cwd=ROOT,
        input=json.dumps(plan),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return report.summarise(json.loads(driver.stdout))


def _pages(text: str) -> Sequence[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in PAGES]:
        raise argparse.ArgumentTypeError(f"no such page: {', '.join(unknown)}")
    return names


def _positive(kind: type) -> Any:
    def read(text: str) -> Any:
        number = kind(text)
        if number <= 0:
            raise argparse.ArgumentTypeError("must be above zero")
        return number

    read.__name__ = kind.__name__
    return read


if __name__ == "__main__":
    sys.exit(main())
