"""Measure the pages: start a shop of a given size, drive it, print a table, stop everything."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import enumeration, growth, measuring, orders, report, server
from bench.pages import PAGES
from config.postgres import DatabaseNotStarted
from config.run import ROOT


def main() -> int:
    if sys.argv[1:2] == ["--lighthouse"]:
        from bench import lighthouse

        return lighthouse.main(sys.argv[2:])
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if options.orders:
            return measure_orders(options)
        if options.enumeration:
            return measure_enumeration(options)
        return measure_sizes(options) if options.sizes else measure_size(options)
    except (server.NotStarted, DatabaseNotStarted) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def measure_size(options: argparse.Namespace) -> int:
    results = measuring.measure(options)
    write(results, options, name=str(options.size))
    failed = [name for name, page in results["pages"].items() if page["failures"]]
    for name in failed:
        print(f"{name} failed: {results['pages'][name]['failures']}", file=sys.stderr)
    return 1 if failed else 0


def measure_sizes(options: argparse.Namespace) -> int:
    results, is_well = growth.measure_each(options)
    print(f"\n{growth.table(results)}")
    write({"sizes": results}, options, name="growth")
    return 0 if is_well else 1


def measure_orders(options: argparse.Namespace) -> int:
    results = orders.measure(options)
    write(results, options, name="orders")
    for fault in results["faults"]:
        print(fault, file=sys.stderr)
    return 1 if results["faults"] else 0


def measure_enumeration(options: argparse.Namespace) -> int:
    results = enumeration.measure(options)
    write(results, options, name="enumeration")
    for fault in results["faults"]:
        print(fault, file=sys.stderr)
    return 1 if results["faults"] else 0


def write(results: dict[str, Any], options: argparse.Namespace, *, name: str) -> None:
    path = options.json or ROOT / "bench" / "results" / time.strftime(f"{name}-%Y%m%d-%H%M%S.json")
    report.save(results, path)
    print(f"\nWritten to {path}")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--size", type=_positive(int), default=10_000, help="products (%(default)s)"
    )
    parser.add_argument(
        "--sizes", type=_sizes, help="several, as 1000,10000,100000: shows how pages grow"
    )
    parser.add_argument(
        "--orders",
        action="store_true",
        help="orders a second instead of pages: the whole way from an empty cart to a paid order",
    )
    parser.add_argument(
        "--enumeration",
        action="store_true",
        help="whether the time of an answer tells who has an account, instead of pages",
    )
    parser.add_argument(
        "--samples",
        type=_positive(int),
        default=enumeration.SAMPLES,
        help="of known and of unknown addresses each, for --enumeration (%(default)s)",
    )
    parser.add_argument("--pages", type=_pages, default=list(PAGES), help=", ".join(PAGES))
    parser.add_argument("--clients", type=_positive(int), default=8, help="at once (%(default)s)")
    parser.add_argument(
        "--seconds",
        type=_positive(float),
        default=2.0,
        help=f"length of each of the {measuring.WINDOWS} windows (%(default)s)",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="keep the filled database here, and begin with the one that an earlier run kept",
    )
    parser.add_argument(
        "--categories",
        type=Path,
        metavar="FILE",
        help="the category tree, as manage.py demo takes it",
    )
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument(
        "--lighthouse",
        action="store_true",
        help="as the first one: Lighthouse instead; see its --help",
    )
    return parser.parse_args()


def _pages(text: str) -> Sequence[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in PAGES]:
        raise argparse.ArgumentTypeError(f"no such page: {', '.join(unknown)}")
    return names


def _sizes(text: str) -> list[int]:
    return sorted(_positive(int)(size) for size in text.split(","))


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
