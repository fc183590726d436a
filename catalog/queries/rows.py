"""Plain rows for pages: no model instances, so a listing costs what its SQL costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection

Row = tuple[Any, ...]


def fetch_rows(sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
    """Run one statement and return all its rows.

    Connections keep the plans of what they repeat, whatever the parameters: a LIMIT, on which a
    plan turns, belongs into the text.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[Row] = cursor.fetchall()
    return rows


def fetch_row(sql: str, params: Mapping[str, Any]) -> Row | None:
    """Run one statement and return its first row, if it has one."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row: Row | None = cursor.fetchone()
    return row
