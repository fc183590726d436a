"""`make bench` on a tiny shop: every part of it runs, ends by itself and leaves its figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import catalogue
from bench.pages import PAGES
from catalog.models import Product, StockLevel
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
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    figures = json.loads(path.read_text())
    assert (figures["size"], figures["clients"], figures["seconds"]) == (40, 2, 0.2)
    assert list(figures["pages"]) == ["product"]
    page = figures["pages"]["product"]
    assert page["failures"] == {}
    for name in ("per_second", "p50_ms", "p95_ms", "sql", "bytes_raw", "bytes_gzip"):
        assert page[name] > 0, name
    assert {"cpu_ms", "web_cpu_ms", "database_cpu_ms", "cpu_ratio_to_bare"} <= page.keys()


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
def test_the_catalogue_of_a_run_keeps_every_invariant() -> None:
    catalogue.fill(60)

    world = catalogue.describe(60)
    assert (len(world.products), len(world.listings)) == (60, 8)
    assert Product.objects.filter(status="active", search__isnull=False).count() == 60
    assert Product.objects.filter(is_available=True).count() == 57
    assert StockLevel.objects.filter(variant__product_id=1).count() == 100
    assert {page.name for page in PAGES.values()} == set(PAGES)
