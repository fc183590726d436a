"""Real data beside the project, read in place; a test that needs it skips where it is absent."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from django.conf import settings


def shared(path: str) -> Path:
    """Find a file of the shared data, or skip the test that asks for it."""
    found = _root() / path
    if not found.exists():
        pytest.skip(f"no {path}: set EMPORIUM_SHARED to the folder of shared data")
    return found


def list_shared(folder: str, pattern: str) -> list[Path]:
    """List the files of a folder of the shared data, for tests that take one each."""
    return sorted((_root() / folder).glob(pattern))


def _root() -> Path:
    root = Path(os.environ.get("EMPORIUM_SHARED", "../shared"))
    return root if root.is_absolute() else settings.BASE_DIR / root


def naughty_strings() -> list[str]:
    """Return texts that have broken other people's programs, and NUL bytes of our own."""
    known: list[str] = json.loads(shared("data/security/blns.json").read_text())
    return [*known, "\0", "a\0b", "\ud7ff\ue000", "%00", "\r\nSet-Cookie: a=b", "9" * 400]
