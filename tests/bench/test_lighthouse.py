"""The Lighthouse runner reads reports rightly; Lighthouse itself is run by hand."""

from __future__ import annotations

from typing import Any

import pytest

from bench import lighthouse


def audit(score: float | None = 1, value: float = 0, **details: Any) -> dict[str, Any]:
    mode = "notApplicable" if score is None else "binary"
    return {"score": score, "numericValue": value, "scoreDisplayMode": mode, "details": details}


def category(score: float, **weights: float) -> dict[str, Any]:
    references = [
        {"id": name.replace("_", "-"), "weight": weight} for name, weight in weights.items()
    ]
    return {"score": score, "auditRefs": references}


REPORT = {
    "audits": {
        "resource-summary": audit(
            items=[
                {"resourceType": "total", "transferSize": 60_000, "requestCount": 9},
                {"resourceType": "font", "transferSize": 26_000, "requestCount": 2},
            ]
        ),
        "long-tasks": audit(
            items=[
                {"url": "http://shop/static/js/slow.js", "duration": 80.4},
                {"url": "http://shop/static/js/quick.js", "duration": 50},
                {"url": "http://shop/", "duration": 300},
            ]
        ),
        "largest-contentful-paint": audit(0.95, 1234.5),
        "total-blocking-time": audit(0.5, 400),
        "cumulative-layout-shift": audit(1, 0),
        "is-crawlable": audit(0),
        "document-title": audit(1),
        "hreflang": audit(None),
    },
    "categories": {
        "performance": category(0.87, largest_contentful_paint=25, total_blocking_time=30),
        "accessibility": category(1),
        "best-practices": category(1),
        "seo": category(0.6, is_crawlable=4, document_title=1, hreflang=1),
    },
}


def test_report_is_read_into_figures() -> None:
    run = lighthouse.read_report(REPORT)

    assert run.scores == {"performance": 87, "accessibility": 100, "best-practices": 100, "seo": 60}
    assert run.seo_if_listed == 100
    assert (run.lcp_ms, run.tbt_ms, run.cls, run.requests) == (1234.5, 400, 0, 9)
    assert (run.bytes["total"], run.bytes["font"], run.bytes["image"]) == (60_000, 26_000, 0)
    assert run.long_scripts == ["80 ms slow.js"]
    assert run.failed == ["is-crawlable", "total-blocking-time"]


def test_line_shows_the_medians() -> None:
    one = lighthouse.read_report(REPORT)
    runs = [lighthouse.Run(one.scores, 100, lcp, 0, 0, one.bytes, 9) for lcp in (3000, 1000, 2000)]

    cells = lighthouse.line("cart", runs).split()

    assert cells[:6] == ["cart", "87", "100", "100", "60", "100"]
    assert cells[6:9] == ["2.00", "0", "0.000"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--pages", "attic"], "no such page: attic"), (["--runs", "0"], "must be above zero")],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        lighthouse.read_options(arguments)

    assert said in capsys.readouterr().err


def test_who_has_no_lighthouse_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert lighthouse.main(["--program", "no-such-lighthouse"]) == 1
    assert "There is no no-such-lighthouse here" in capsys.readouterr().err
