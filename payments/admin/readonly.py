"""Money is only looked at: what changes it is an order's page, or the provider itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator


class LookOnly:
    """Rights to see, given by Django's permissions, and none to change."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MoneyAdmin(LookOnly, ModelAdmin):
    list_filter_submit = True
    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = None


class MoneyInline(LookOnly, TabularInline):
    extra = 0
    can_delete = False
