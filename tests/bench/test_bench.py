"""`make bench` on a tiny shop: every part of it runs, ends by itself and leaves its figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bench import catalogue, growth
from bench.pages import PAGES, misspell
from catalog.models import Product, StockLevel
from catalog.queries import product_url
from config.run import ROOT


def test_a_tiny_run_writes_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    options = ("--size", "40", "--pages", "product", "--clients", "2", "--seconds", "0.2")
    environment = {k: v for k, v in os.environ.items() if k != "STATIC_HASHED"}

    run = subprocess.run(
        (sys.executable, "-m", "bench", *options, "--json", str(path)),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    figures = json.loads(path.read_text())
    assert (figures["size"], figures["clients"], figures["seconds"]) == (40, 2, 0.2)
    assert list(figures["pages"]) == ["product"]
    for name in ("fill_seconds", "database_mb", "first_listing_seconds", "web_memory_mb"):
        assert figures[name] > 0, name
    page = figures["pages"]["product"]
    assert page["failures"] == {}
    for name in ("sql", "bytes_raw", "bytes_gzip"):
        assert page[name] > 0, name
    for measured in (page, page["cached"]):
        for name in ("per_second", "p50_ms", "p95_ms", "p99_ms"):
            assert measured[name] > 0, name
        assert {"cpu_ms", "web_cpu_ms", "database_cpu_ms", "cpu_ratio_to_bare"} <= measured.keys()


def test_an_unknown_page_is_named() -> None:
    run = subprocess.run(
        (sys.executable, "-m", "bench", "--pages", "attic"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 2
    assert "no such page: attic" in run.stderr


@pytest.mark.django_db(transaction=True)
def test_the_catalogue_of_a_run_has_what_is_visited() -> None:
    catalogue.fill(60)

    world = catalogue.describe(60)
    assert (len(world.products), len(world.listings)) == (60, 8)
    assert world.large_product == product_url(Product.objects.get(pk=1).slug)
    assert StockLevel.objects.filter(variant__product_id=1).count() == 100
    assert Product.objects.filter(status="active", search__isnull=False).count() == 60
    assert Product.objects.filter(is_available=True).count() == 57
    assert all(query.count("=") >= 3 for query in world.filtered)
    assert {page.name for page in PAGES.values()} == set(PAGES)


def test_growth_compares_the_last_size_with_the_first() -> None:
    def result(size: int, cpu_ms: float) -> dict[str, Any]:
        page = {"cpu_ms": cpu_ms, "cached": {"cpu_ms": 0.1}}
        figures = {"fill_seconds": 1, "database_mb": 2, "first_listing_seconds": 1}
        return {
            "size": size,
            "bare": {"cpu_ms": 0.1},
            "pages": {"category": page},
            "web_memory_mb": 100,
            **figures,
        }

    table = growth.table([result(1000, 4), result(100_000, 6)])

    rows = [line.split() for line in table.splitlines()]
    assert rows[0] == ["CPU", "ms", "1,000", "100,000", "growth"]
    assert ["category", "4.00", "6.00", "1.50"] in rows
    assert ["category,", "cached", "0.10", "0.10", "1.00"] in rows


@pytest.mark.parametrize(
    ("word", "first", "last"), [("compact", "c", "t"), ("small", "s", "l"), ("glass", "g", "s")]
)
def test_a_misspelt_word_is_one_edit_away(word: str, first: str, last: str) -> None:
    found = {misspell(word, Random(seed)) for seed in range(40)} - {word}

    assert all(each[0] == first and each[-1] == last for each in found)
    assert all(sorted(each) == sorted(word) or len(each) == len(word) - 1 for each in found)


def test_a_tiny_run_of_orders_sells_no_piece_twice(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    options = ("--orders", "--size", "40", "--clients", "2", "--seconds", "0.9")
    environment = {k: v for k, v in os.environ.items() if k != "STATIC_HASHED"}

    run = subprocess.run(
        (sys.executable, "-m", "bench", *options, "--json", str(path)),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    figures = json.loads(path.read_text())
    assert figures["faults"] == []
    assert figures["rush"] == {"buyers": 50, "pieces": 10, "orders": 10}
    for kind in ("spread", "hot"):
        assert figures[kind]["per_second"] > 0
        assert figures[kind]["failures"] == {}
        assert figures[kind]["web_cpu_ms"] > 0
    assert set(figures["spread"]["steps"]) == {
        "add to cart",
        "checkout",
        "place",
        "pay at the provider",
        "come back, settle",
        "order page",
    }
    assert figures["statements"]["place"] > 0
    assert all(rate > 0 for rate in figures["bare_updates_per_second"].values())
