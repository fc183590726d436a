"""Real data beside the project, read in place; a test that needs it skips where it is absent."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from django.conf import settings


def shared(path: str) -> Path:
    """Find a file of the shared data, or skip the test that asks for it."""
    root = Path(os.environ.get("EMPORIUM_SHARED", "../shared"))
    found = (root if root.is_absolute() else settings.BASE_DIR / root) / path
    if not found.exists():
        pytest.skip(f"no {path}: set EMPORIUM_SHARED to the folder of shared data")
    return found


def naughty_strings() -> list[str]:
    """Return texts that have broken other people's programs, and NUL bytes of our own."""
    known: list[str] = json.loads(shared("data/security/blns.json").read_text())
    return [*known, "\0", "a\0b", "\ud7ff\ue000", "%00", "\r\nSet-Cookie: a=b", "9" * 400]
