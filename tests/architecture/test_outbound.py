"""Whatever goes out goes out through few doors: what somebody typed by `shop.fetching` alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import settings

APPS = ("config", "shop", "accounts", "catalog", "cart", "payments", "orders")
LEAD_OUTSIDE = {
    *("urllib.request", "urllib3", "http.client", "requests", "httpx", "aiohttp", "socket"),
    *("ftplib", "telnetlib", "xmlrpc.client", "smtplib", "asyncio", "pycurl"),
}
DOORS = {
    "shop/fetching.py": "addresses that somebody typed: public ones only, looked up once, bounded",
    "orders/gateways/photon.py": "PHOTON_URL, which the operator sets",
    "payments/gateways/paypal_client.py": "PAYPAL_API_BASE, which settings check",
    "payments/gateways/paypal_signatures.py": "PayPal's certificates, from PayPal's hosts only",
    "config/launch.py": "this machine: is the process up?",
    "config/run.py": "this machine: is the port free?",
    "config/postgres.py": "this machine: a port for the database",
    "payments/simulator/webhooks.py": "the simulator speaks to the shop under test",
    "payments/simulator/server.py": "the simulator listens",
    "orders/proving/browser.py": "proofs visit the shop under test",
    "orders/proving/balancer.py": "proofs stand before the shop under test",
    "orders/proving/processes.py": "proofs start processes",
    "orders/proving/run.py": "proofs start processes",
}
"""Stripe's and S3's own libraries go to addresses from settings; Django sends the mails."""


def read_imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def list_openings() -> dict[str, set[str]]:
    found = {}
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            if outside := {
                name
                for name in read_imports(path)
                if any(name == each or name.startswith(f"{each}.") for each in LEAD_OUTSIDE)
            }:
                found[str(path.relative_to(settings.BASE_DIR))] = outside
    return found


def test_nothing_goes_out_but_through_the_listed_doors() -> None:
    assert {path: names for path, names in list_openings().items() if path not in DOORS} == {}


def test_every_listed_door_is_there() -> None:
    assert [path for path in DOORS if path not in list_openings()] == []


@pytest.mark.parametrize(
    "line",
    ["import requests", "from urllib.request import urlopen", "import http.client as h",
     "from http import client", "import httpx", "from urllib import request"],
)  # fmt: skip
def test_the_rule_sees_each_way_to_import(tmp_path: Path, line: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(line)

    assert read_imports(path) & LEAD_OUTSIDE
