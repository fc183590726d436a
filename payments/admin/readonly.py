"""Money is only looked at: what changes it is an order's page, or the provider itself."""

from __future__ import annotations

from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator

from shop.admin.look_only import LookOnly


class MoneyAdmin(LookOnly, ModelAdmin):
    list_filter_submit = True
    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False
    actions: list[str] | None = None


class MoneyInline(LookOnly, TabularInline):
    extra = 0
    can_delete = False
