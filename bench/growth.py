"""Several sizes, each in a process of its own, and how the pages grow with the catalogue."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config.run import ROOT


def measure_each(options: argparse.Namespace) -> tuple[list[dict[str, Any]], bool]:
    """Measure one size after the other; return their results, and whether no page failed."""
    results, is_well = [], True
    with tempfile.TemporaryDirectory(prefix="emporium-bench-") as folder:
        for size in options.sizes:
            path = Path(folder) / f"{size}.json"
            print(f"\n{size:,} products", flush=True)
            run = subprocess.run(
                (
                    *(sys.executable, "-m", "bench", "--size", str(size), "--json", str(path)),
                    *("--pages", ",".join(options.pages), "--clients", str(options.clients)),
                    *("--seconds", str(options.seconds)),
                    *(("--keep", str(options.keep / str(size))) if options.keep else ()),
                    *(("--categories", str(options.categories)) if options.categories else ()),
                ),
                cwd=ROOT,
                env=os.environ,
                check=False,
            )
            is_well = is_well and run.returncode == 0
            if path.exists():
                results.append(json.loads(path.read_text("utf-8")))
    return results, is_well


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Lay out CPU milliseconds of each page by size, and how many times the first one the last is."""
    if not results:
        return "Nothing was measured."
    lines = [_line("CPU ms", [f"{result['size']:,}" for result in results], "growth")]
    lines.append(_row("bare view", [result["bare"]["cpu_ms"] for result in results]))
    for name in results[0]["pages"]:
        pages = [result["pages"][name] for result in results if name in result["pages"]]
        lines.append(_row(name, [page["cpu_ms"] for page in pages]))
    for name in results[0]["pages"]:
        pages = [result["pages"].get(name, {}).get("cached") for result in results]
        if all(pages):
            lines.append(_row(f"{name}, cached", [page["cpu_ms"] for page in pages if page]))
    lines += [
        _row(words, [result[key] for result in results])
        for key, words in (
            ("fill_seconds", "seconds to fill"),
            ("database_mb", "database, MB"),
            ("first_listing_seconds", "first listing, s"),
            ("web_memory_mb", "web memory, MB"),
        )
        if all(key in result for result in results)
    ]
    return "\n".join(lines)


def _row(name: str, figures: Sequence[float]) -> str:
    growth = f"{figures[-1] / figures[0]:.2f}" if figures[0] else ""
    return _line(name, [f"{figure:,.2f}" for figure in figures], growth)


def _line(name: str, cells: Sequence[str], last: str) -> str:
    return f"{name:<26}" + "".join(f"{cell:>12}" for cell in cells) + f"{last:>10}"
