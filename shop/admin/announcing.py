"""Admin pages of rows that catalogue pages show: what is saved or deleted is announced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from shop.services.changes import announce


class Announcing:
    """Put before the admin class that writes; `list_subjects` says what changes with some rows.

    It has no base of its own, so mypy cannot know what `super()` is.
    """

    def list_subjects(self, rows: Sequence[Any]) -> list[str]:
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)  # type: ignore[misc]
        announce(*self.list_subjects([obj]))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        announce(*self.list_subjects([obj]))
        super().delete_model(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete what was ticked in the list; unlike the other pages, Django opens no transaction."""
        with transaction.atomic():
            announce(*self.list_subjects(list(queryset)))
            super().delete_queryset(request, queryset)  # type: ignore[misc]
