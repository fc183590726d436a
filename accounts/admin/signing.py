"""Who saves or deletes in the admin, told to the database before it happens."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import AuditEntry
from accounts.services import audit


class Signed:
    """Put before an admin class whose rows the trail watches; see `accounts.services.audit`.

    It has no base of its own, so mypy cannot know what `super()` is.
    """

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        sign(request)
        super().save_model(request, obj, form, change)  # type: ignore[misc]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        sign(request)
        super().delete_model(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            sign(request)
            super().delete_queryset(request, queryset)  # type: ignore[misc]


def sign(request: HttpRequest, *, reason: str = "") -> None:
    actor: Any = request.user
    audit.sign(actor, door=AuditEntry.Door.ADMIN, reason=reason)
