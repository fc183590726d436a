"""Rows that people may see in the admin and that only services change."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


class LookOnly:
    """Rights to see, given by Django's permissions, and none to change."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
