"""Runs imports as an operator does, and says what they printed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.core.management import call_command


def run_import(path: Path, format: str = "shopify", **options: Any) -> list[str]:
    output = io.StringIO()
    call_command("import_products", str(path), format=format, stdout=output, **options)
    return output.getvalue().splitlines()
