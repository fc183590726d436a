from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """Give a file of the outside data beside the project, or skip with the reason."""

    def find(name: str) -> Path:
        folder = Path(os.environ.get("EMPORIUM_SHARED", settings.BASE_DIR.parent / "shared"))
        path = folder / "data" / name
        if not path.exists():
            pytest.skip(f"no outside data: {path} is not there (see EMPORIUM_SHARED)")
        return path

    return find
