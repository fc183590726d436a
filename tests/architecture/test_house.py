"""What holds the house up: floors, templates without inline code, no short cuts past the outbox."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

APPS = ("config", "shop", "accounts", "catalog", "cart", "payments", "orders")
SOURCES = [path for app in APPS for path in sorted((settings.BASE_DIR / app).rglob("*.py"))]
TEMPLATES = [
    path
    for folder in (settings.BASE_DIR / "templates", *(settings.BASE_DIR / app for app in APPS))
    for path in sorted(folder.rglob("*.html"))
]
PAGES = [path for path in TEMPLATES if "emails" not in path.parts]
COMPONENTS = sorted((settings.BASE_DIR / "templates" / "components").glob("*.html"))


def lines_with(pattern: str, paths: list[Path]) -> list[str]:
    """Return where a pattern occurs, one `path:line` each."""
    return [
        f"{path.relative_to(settings.BASE_DIR)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(pattern, line)
    ]


def test_an_app_imports_only_from_the_floors_below_it() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    if not program.exists():
        pytest.skip("import-linter is not installed: pip install -r requirements-dev.txt")

    checked = subprocess.run(
        [program, "--no-cache"], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=120
    )

    assert checked.returncode == 0, checked.stdout[-3000:]


def test_tasks_are_only_started_through_the_outbox() -> None:
    assert lines_with(r"\.delay\(|\.apply_async\(|\.s\(\)|\.si\(", SOURCES) == []


def test_no_rule_hides_in_a_model_signal_or_an_overridden_save() -> None:
    assert lines_with(r"(?<!field\.)\b(pre|post)_(save|delete|init)\b", SOURCES) == []
    models = [path for path in SOURCES if "models" in path.parts]
    assert lines_with(r"def (save|delete)\(", models) == []


def test_nothing_asks_the_computer_for_the_time_but_the_clock() -> None:
    clock = settings.BASE_DIR / "shop" / "clock.py"
    others = [path for path in SOURCES if path != clock and "migrations" not in path.parts]

    assert lines_with(r"datetime\.(now|utcnow|today)\(|timezone\.now\(|date\.today\(", others) == []


def test_no_template_switches_escaping_off() -> None:
    assert lines_with(r"\|\s*safe\b|autoescape off", PAGES) == []


def test_no_page_carries_a_style_a_script_or_a_handler_of_its_own() -> None:
    assert lines_with(r"<[a-z][^>]*\sstyle\s*=", PAGES) == []
    assert lines_with(r"<style\b", PAGES) == []
    assert lines_with(r"<[a-z][^>]*\son[a-z]+\s*=", PAGES) == []
    assert lines_with(r"<script(?![^>]*\bsrc=)(?![^>]*application/ld\+json)[^>]*>", PAGES) == []


def test_no_page_asks_another_host_for_anything() -> None:
    assert lines_with(r"""(src|srcset|href)\s*=\s*["']https?://""", PAGES) == []


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_a_component_opens_with_its_contract(path: Path) -> None:
    opening = path.read_text().lstrip()

    assert opening.startswith(("{% comment %}", "{#"))
    assert "rgument" in opening[:600] or "no arguments" in opening[:600].lower()


def test_there_is_no_cupboard_for_everything() -> None:
    names = {"utils", "helpers", "common", "misc"}

    assert [path for path in SOURCES if path.stem in names or names & set(path.parts)] == []
