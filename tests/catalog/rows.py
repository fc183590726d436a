"""Tells whether rows were written, even with the same values in them."""

from __future__ import annotations

from django.apps import apps
from django.db import connection


def fingerprint(*app_labels: str) -> dict[str, list[tuple[int, str]]]:
    """Return where each row of some apps lies: an UPDATE moves it, whatever it writes."""
    places = {}
    with connection.cursor() as cursor:
        for label in app_labels:
            for model in apps.get_app_config(label).get_models(include_auto_created=True):
                table = model._meta.db_table
                key = model._meta.pk.column
                cursor.execute(f"SELECT {key}, ctid::text FROM {table} ORDER BY {key}")
                places[table] = cursor.fetchall()
    return places
