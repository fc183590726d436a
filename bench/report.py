"""From measured windows to one line per page, as a table and as JSON."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.weight import Weight

HEADINGS = (
    "page", "req/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "web", "db", "x bare", "SQL", "bytes", "gzip",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """A page under load, per visit; CPU is in milliseconds, `provider` and `load` are others'."""

    count: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float
    web_cpu_ms: float
    database_cpu_ms: float
    provider_cpu_ms: float
    load_cpu_ms: float
    failures: dict[str, int] = field(default_factory=dict)


def summarise(windows: Sequence[Mapping[str, Any]]) -> Measured:
    """Take the median rate of the windows, and all their visits together for the rest."""
    latencies = sorted(latency for window in windows for latency in window["latencies"])
    count = len(latencies)
    failures: Counter[str] = Counter()
    for window in windows:
        failures.update(window["failures"])

    def cpu(name: str) -> float:
        seconds = sum(window["cpu"].get(name, 0.0) for window in windows)
        return 1000 * seconds / count if count else math.nan

    return Measured(
        count=count,
        per_second=statistics.median(len(w["latencies"]) / w["seconds"] for w in windows),
        p50_ms=_percentile(latencies, 0.50),
        p95_ms=_percentile(latencies, 0.95),
        p99_ms=_percentile(latencies, 0.99),
        cpu_ms=cpu("web") + cpu("database"),
        web_cpu_ms=cpu("web"),
        database_cpu_ms=cpu("database"),
        provider_cpu_ms=cpu("provider"),
        load_cpu_ms=cpu("load"),
        failures=dict(failures),
    )


@dataclass(frozen=True, slots=True)
class Result:
    """A page as each visit made it anew, and as the page cache gave it out, as far as measured."""

    weight: Weight
    made: Measured | None = None
    cached: Measured | None = None


def as_json(
    chosen: Mapping[str, Any], bare: Measured, results: Mapping[str, Result]
) -> dict[str, Any]:
    return {
        **chosen,
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load_average": os.getloadavg()[0],
        },
        "bare": asdict(bare),
        "pages": {
            name: {
                **asdict(result.weight),
                **(_as_json(result.made, bare) if result.made else {}),
                **({"cached": _as_json(result.cached, bare)} if result.cached else {}),
                "failures": {
                    **(result.made.failures if result.made else {}),
                    **(result.cached.failures if result.cached else {}),
                },
            }
            for name, result in results.items()
        },
    }


def _as_json(measured: Measured, bare: Measured) -> dict[str, Any]:
    return {
        **asdict(measured),
        "cpu_ratio_to_bare": measured.cpu_ms / bare.cpu_ms,
        "rate_ratio_to_bare": measured.per_second / bare.per_second,
    }


def heading() -> str:
    return _line(HEADINGS)


def line(name: str, measured: Measured, bare: Measured, weight: Weight | None = None) -> str:
    """Write a page's line of the table; CPU is that of web and database together."""
    return _line(
        (
            name,
            f"{measured.per_second:,.1f}",
            f"{measured.p50_ms:.1f}",
            f"{measured.p95_ms:.1f}",
            f"{measured.p99_ms:.1f}",
            f"{measured.cpu_ms:.2f}",
            f"{measured.web_cpu_ms:.2f}",
            f"{measured.database_cpu_ms:.2f}",
            f"{measured.cpu_ms / bare.cpu_ms:.1f}",
            f"{weight.sql} ({weight.sql_cold})" if weight else "",
            f"{weight.bytes_raw:,}" if weight else "",
            f"{weight.bytes_gzip:,}" if weight else "",
        )
    )


def save(results: Mapping[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _line(cells: Sequence[str]) -> str:
    first, *others = cells
    return f"{first:<16}" + "".join(f"{cell:>10}" for cell in others)


def _percentile(ordered: Sequence[float], share: float) -> float:
    if not ordered:
        return math.nan
    return 1000 * ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
