"""Runs imports as an operator does, and as an upload in the admin is worked on."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.core.management import call_command

from accounts.models import Seller, User
from catalog.models import ImportRun
from catalog.services import import_runs
from catalog.services.import_runs import Choices
from tests.outbox import deliver_outbox


def run_import(path: Path, format: str = "shopify", **options: Any) -> list[str]:
    """Import a file by the command, and return what it printed."""
    output = io.StringIO()
    call_command("import_products", str(path), format=format, stdout=output, **options)
    return output.getvalue().splitlines()


def upload_file(
    content: bytes,
    *,
    seller: Seller,
    actor: User | None = None,
    format: str = "emporium",
    is_rehearsal: bool = False,
) -> ImportRun:
    """Upload a file as a person does; nothing works on it yet."""
    run = import_runs.describe(
        io.BytesIO(content),
        "products.csv",
        seller=seller,
        choices=Choices(format),
        is_rehearsal=is_rehearsal,
        actor=actor,
    )
    return import_runs.upload(io.BytesIO(content), run)


def upload_and_work(content: bytes, **options: Any) -> ImportRun:
    """Upload a file, let the tasks work on it, and return the run as it is then."""
    run = upload_file(content, **options)
    deliver_outbox()
    run.refresh_from_db()
    return run
