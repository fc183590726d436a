"""docs/security.md answers what it says it answers, and names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.test_docs import read_rows, words

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENT = re.compile(r"\d+\.\d+\.\d+")
FORTY = 40


def rows(heading: str) -> list[list[str]]:
    """Return a section's rows without the one of its headings."""
    return read_rows("security.md", heading)[1:]


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", (ROOT / "docs" / "security.md").read_text("utf-8")))

    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_answer_names_the_test_that_shows_it() -> None:
    silent = [
        row[0]
        for heading in ("What was tried", "OWASP ASVS 5.0")
        for row in rows(heading)
        if not any(word.startswith("tests/") for word in words(row[2]))
    ]

    assert silent == []


def test_each_requirement_is_answered_once() -> None:
    answers = rows("OWASP ASVS 5.0")
    numbers = [number for row in answers for number in REQUIREMENT.findall(row[0])]

    assert len(answers) >= FORTY
    assert all(REQUIREMENT.match(row[0]) for row in answers)
    assert len(numbers) == len(set(numbers))
