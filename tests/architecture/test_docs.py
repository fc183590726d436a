"""The documentation lists what the code declares: no more, no less."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest
from django.db.models import TextChoices
from django.dispatch import Signal

from orders.models import Order
from payments.models import Capture, Dispute, PaymentAttempt, ReconciliationBreak, Refund
from shop import invariants

ROOT = Path(__file__).resolve().parents[2]
APPS = ("shop", "accounts", "catalog", "cart", "payments", "orders")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", re.MULTILINE)
READERS = {
    *("text", "url", "flag", "number", "words", "choice", "code", "time_zone"),
    "networks",
    *("database", "email", "is_set"),
}


def read_rows(page: str, heading: str = "") -> list[list[str]]:
    """Return the cells of every table row of a page, or of one of its sections."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    if heading:
        text = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


@pytest.mark.parametrize(
    ("heading", "allowed"),
    [
        ("Order.status", Order.ALLOWED_CHANGES),
        ("PaymentAttempt.status", PaymentAttempt.ALLOWED_CHANGES),
        ("Capture.status", Capture.ALLOWED_CHANGES),
        ("Refund.status", Refund.ALLOWED_CHANGES),
        ("Dispute.status", Dispute.ALLOWED_CHANGES),
        ("ReconciliationBreak.status", ReconciliationBreak.ALLOWED_CHANGES),
    ],
)
def test_states_lists_exactly_the_allowed_changes(
    heading: str, allowed: dict[TextChoices, set[TextChoices]]
) -> None:
    rows = [row for row in read_rows("states.md", heading) if row[0].startswith("`")]

    written = {row[0].strip("`"): words(row[1]) for row in rows}

    assert written == {
        str(state): {str(other) for other in others} for state, others in allowed.items()
    }


def test_invariants_lists_exactly_the_declared_ones_by_their_titles() -> None:
    written = [(row[0], row[1]) for row in read_rows("invariants.md") if row[0] != "Id"]

    declared = [(each.id, each.title) for each in invariants.list_invariants()]
    assert sorted(written) == sorted(declared)


def test_floors_lists_exactly_the_declared_signals() -> None:
    declared = set()
    for app in APPS:
        if (ROOT / app / "signals.py").exists():
            module = importlib.import_module(f"{app}.signals")
            declared |= {
                f"{app}.signals.{name}"
                for name, value in vars(module).items()
                if isinstance(value, Signal)
            }

    written = set().union(*(words(row[0]) for row in read_rows("floors.md", "The news")))

    assert written == declared


def test_the_example_environment_names_exactly_the_variables_that_settings_read() -> None:
    sources = [
        (ROOT / "config" / name).read_text("utf-8") for name in ("settings.py", "sign_in.py")
    ]
    read = {
        call.args[0].value
        for source in sources
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and call.func.attr in READERS
        and isinstance(call.args[0], ast.Constant)
    }

    example = (ROOT / ".env.example").read_text("utf-8")
    named = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE)

    assert sorted(named) == sorted(read)


@pytest.mark.parametrize("requirements", ["requirements.txt", "requirements-dev.txt"])
def test_every_dependency_has_its_reason_in_the_changelog(requirements: str) -> None:
    pinned = PINNED.findall((ROOT / requirements).read_text("utf-8"))
    explained = set(re.findall(r"^- `([^`]+)`", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M))

    assert pinned
    assert [name for name in pinned if name not in explained] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target]

    assert [target for target in targets if not (page.parent / target).exists()] == []
