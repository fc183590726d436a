"""Lighthouse on the pages of the demo shop, as a phone sees them: `make bench ARGS="--lighthouse"`.

Starts a shop of its own with the demo's products and photographs, fills one cart, buys with another,
runs Lighthouse several times on each page and prints the medians. Needs Node.js and Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from statistics import median_low
from typing import Any
from urllib.parse import urljoin

import httpx

from bench import server
from bench.pages import HIDDEN_FIELD, SHOPPER
from config.postgres import DatabaseNotStarted
from config.run import ROOT

PROGRAM = ("npx", "--yes", "lighthouse@12.8.2")
RUNS = 5
PUBLIC = {
    "home": "/",
    "category": "/categories/table-kitchen/",
    "product": "/products/dune-mug/",
    "search": "/search/?q=oak",
    "login": "/accounts/login/",
}
PERSONAL = ("cart", "checkout", "order")
PAGES = (*PUBLIC, *PERSONAL)
IN_THE_CART = ("/products/dune-mug/", "/products/alm-board/")
CATEGORIES = {
    "performance": "perf", "accessibility": "a11y", "best-practices": "best", "seo": "SEO",
}  # fmt: skip
HIDDEN_FROM_SEARCH = "is-crawlable"
"""The audit that pages fail which no search engine should list."""
KINDS = ("document", "stylesheet", "script", "font", "image", "other")
LONG_TASK_MS = 50
TRIES = 3
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Address:
    url: str
    cookie: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One report. Scores are of 100, times milliseconds, bytes as they came over the network."""

    scores: dict[str, float]
    seo_if_listed: float
    lcp_ms: float
    tbt_ms: float
    cls: float
    bytes: dict[str, int]
    requests: int
    long_scripts: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    options = read_options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    program = (options.program,) if options.program else PROGRAM
    if not shutil.which(program[0]):
        print(f"There is no {program[0]} here: install Node.js, or use --program.", file=sys.stderr)
        return 1
    try:
        results = measure(options, program)
    except (server.NotStarted, DatabaseNotStarted, LighthouseFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    path = options.json or ROOT / "bench/results" / time.strftime("lighthouse-%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {path}")
    return 0


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.lighthouse", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="of each page (%(default)s)")
    parser.add_argument("--pages", default=",".join(PAGES), help="%(default)s")
    parser.add_argument("--program", help=f"a Lighthouse to use instead of `{' '.join(PROGRAM)}`")
    parser.add_argument("--json", type=Path, help="where to write the results")
    options = parser.parse_args(arguments)
    options.pages = [name.strip() for name in options.pages.split(",")]
    if unknown := [name for name in options.pages if name not in PAGES]:
        parser.error(f"no such page: {', '.join(unknown)}")
    if options.runs < 1:
        parser.error("--runs must be above zero")
    return options


def measure(options: argparse.Namespace, program: Sequence[str]) -> dict[str, Any]:
    """Run Lighthouse on each page in turn, and print each page's line as soon as it is there."""
    with (
        demo_shop() as origin,
        tempfile.TemporaryDirectory(prefix="emporium-lighthouse-") as folder,
    ):
        addresses = find_addresses(origin)
        print(f"\n{heading()}", flush=True)
        pages: dict[str, list[Run]] = {}
        for name in options.pages:
            pages[name] = [
                read_report(run_lighthouse(program, addresses[name], Path(folder)))
                for _number in range(options.runs)
            ]
            print(line(name, pages[name]), flush=True)
        print(f"\n{remarks(pages)}")
    return {
        "runs": options.runs,
        "load_average": os.getloadavg()[0],
        "pages": {name: [asdict(run) for run in runs] for name, runs in pages.items()},
    }


@contextmanager
def demo_shop() -> Iterator[str]:
    """Run the demo shop with every photograph rendered, as it is in production; yield its origin."""
    with server.place() as here:
        print("Preparing the demo shop with its photographs; this takes a minute or two.")
        manage("collectstatic", "--no-input", "--verbosity", "0")
        manage("migrate", "--no-input", "--verbosity", "0")
        manage("demo")
        manage("relay", "--once")
        with server.provider(port=here.provider_port), server.shop(port=here.port):
            yield here.origin


def manage(*command: str) -> None:
    subprocess.run((sys.executable, "manage.py", *command), cwd=ROOT, check=True)


def find_addresses(origin: str) -> dict[str, Address]:
    """Give the address of each page, for those of one shopper with what their browser sends."""
    addresses = {name: Address(f"{origin}{path}") for name, path in PUBLIC.items()}
    shopper = fill_cart(origin)
    addresses["cart"] = Address(f"{origin}/cart/", cookies_of(shopper))
    addresses["checkout"] = Address(f"{origin}/checkout/", cookies_of(shopper))
    addresses["order"] = buy(fill_cart(origin))
    return addresses


def fill_cart(origin: str) -> httpx.Client:
    """Put a few things into the cart of a new shopper."""
    shopper = httpx.Client(base_url=origin, follow_redirects=True, timeout=30)
    for path in IN_THE_CART:
        fields = read_form(shopper.get(path).text, "/cart/add/")
        shopper.post("/cart/add/", data=fields | {"quantity": "1"}).raise_for_status()
    return shopper


def buy(shopper: httpx.Client) -> Address:
    """Order what is in the cart and pay for it; give the address of the order's page."""
    hidden = dict(HIDDEN_FIELD.findall(shopper.get("/checkout/").text))
    payment = shopper.post("/checkout/", data=SHOPPER | hidden | {"action": "place"})
    path = payment.url.path
    if not path.startswith("/pay/"):
        raise LighthouseFailed(f"The order was not placed: {payment.status_code} {payment.url}")
    order = shopper.post(
        urljoin(str(payment.url), path), data={"choice": "approve", "webhook": "now"}
    )
    order.raise_for_status()
    time.sleep(1)  # The simulator's webhook is on its way.
    manage("relay", "--once")
    return Address(str(order.url), cookies_of(shopper))


def cookies_of(shopper: httpx.Client) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in shopper.cookies.jar)


class _FormReader(HTMLParser):
    """Reads what the first form with this action sends by itself."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.is_inside, self.fields = action, False, {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.is_inside = given.get("action") == self.action and not self.fields
        elif tag == "input" and self.is_inside and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""


def read_form(page: str, action: str) -> dict[str, str]:
    reader = _FormReader(action)
    reader.feed(page)
    return reader.fields


class LighthouseFailed(Exception):
    """Lighthouse, or what had to be done before it, did not work; the text says what."""


def run_lighthouse(program: Sequence[str], address: Address, folder: Path) -> dict[str, Any]:
    """Run Lighthouse once, with its mobile preset, and return its report.

    On a busy machine the browser's trace gets lost now and then; then it is tried again.
    """
    report, headers = folder / "report.json", folder / "headers.json"
    headers.write_text(json.dumps({"Cookie": address.cookie} if address.cookie else {}))
    said = ""
    for _try in range(TRIES):
        report.unlink(missing_ok=True)
        ran = subprocess.run(
            (
                *program, address.url, "--quiet", "--output=json", f"--output-path={report}",
                f"--extra-headers={headers}", "--chrome-flags=--headless=new --no-sandbox",
            ),
            env={**os.environ, "CHROME_PATH": os.environ.get("CHROME_PATH") or find_chromium()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        said = ran.stdout[-2000:]
        if ran.returncode == 0 and report.exists():
            found: dict[str, Any] = json.loads(report.read_text())
            if "runtimeError" not in found:
                return found
    raise LighthouseFailed(f"Lighthouse failed at {address.url}:\n{said}")


def find_chromium() -> str:
    return next(filter(None, map(shutil.which, CHROMIUM)), "") or ""


def read_report(report: Mapping[str, Any]) -> Run:
    audits, categories = report["audits"], report["categories"]
    resources = audits["resource-summary"]["details"]["items"]
    sizes = {item["resourceType"]: item["transferSize"] for item in resources}
    tasks = audits["long-tasks"].get("details", {}).get("items", [])
    return Run(
        scores={name: 100 * (categories[name]["score"] or 0) for name in CATEGORIES},
        seo_if_listed=score_without(report, "seo", HIDDEN_FROM_SEARCH),
        lcp_ms=audits["largest-contentful-paint"]["numericValue"],
        tbt_ms=audits["total-blocking-time"]["numericValue"],
        cls=audits["cumulative-layout-shift"]["numericValue"],
        bytes={"total": sizes["total"]} | {kind: sizes.get(kind, 0) for kind in KINDS},
        requests=next(i["requestCount"] for i in resources if i["resourceType"] == "total"),
        long_scripts=[
            f"{task['duration']:.0f} ms {task['url'].rpartition('/')[2]}"
            for task in tasks
            if task["duration"] > LONG_TASK_MS and task["url"].endswith(".js")
        ],
        failed=sorted(
            {
                reference["id"]
                for name in CATEGORIES
                for reference in categories[name]["auditRefs"]
                if reference["weight"] and (audits[reference["id"]]["score"] or 0) < 0.9
                and audits[reference["id"]]["scoreDisplayMode"] not in ("notApplicable", "manual")
            }
        ),
    )  # fmt: skip


def score_without(report: Mapping[str, Any], category: str, audit: str) -> float:
    """Reckon what a category's score would be if one of its audits did not count."""
    weighed = [
        (reference["weight"], report["audits"][reference["id"]]["score"])
        for reference in report["categories"][category]["auditRefs"]
        if reference["id"] != audit
    ]
    counted = [(weight, score) for weight, score in weighed if score is not None]
    total = sum(weight for weight, _score in counted)
    return 100 * sum(weight * score for weight, score in counted) / total if total else 0.0


HEADINGS = (
    "page", *CATEGORIES.values(), "(listed)", "LCP s", "TBT ms", "CLS",
    *("KB", "html", "css", "js", "font", "image", "other"), "requests",
)  # fmt: skip


def heading() -> str:
    return _line(HEADINGS)


def line(name: str, runs: Sequence[Run]) -> str:
    """Write a page's line: the median of each figure; SEO also as if search engines might list it."""
    return _line(
        (
            name,
            *(f"{median_low([run.scores[each] for run in runs]):.0f}" for each in CATEGORIES),
            f"{median_low([run.seo_if_listed for run in runs]):.0f}",
            f"{median_low([run.lcp_ms for run in runs]) / 1000:.2f}",
            f"{median_low([run.tbt_ms for run in runs]):.0f}",
            f"{median_low([run.cls for run in runs]):.3f}",
            *(
                f"{median_low([run.bytes[kind] for run in runs]) / 1024:.1f}"
                for kind in ("total", *KINDS)
            ),
            f"{median_low([run.requests for run in runs])}",
        )
    )


def remarks(pages: Mapping[str, Sequence[Run]]) -> str:
    """Name what kept a page from full scores, and scripts that took too long, in any run."""
    lines = []
    for name, runs in pages.items():
        failed = sorted({audit for run in runs for audit in run.failed})
        slow = sorted({script for run in runs for script in run.long_scripts})
        if failed or slow:
            lines.append(f"{name}: {', '.join([*failed, *slow])}")
    return "\n".join(lines) or "Nothing failed, and no script took longer than 50 ms."


def _line(cells: Sequence[str]) -> str:
    first, *others = cells
    return f"{first:<10}" + "".join(f"{cell:>9}" for cell in others)


if __name__ == "__main__":
    sys.exit(main())
