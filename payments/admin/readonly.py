"""Money is only looked at: what changes it is an order's page, or the provider itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator

from accounts.admin.scoping import get_seller_roles
from shop.admin.look_only import LookOnly


class ShopStaffAlone:
    """Payments are of whole orders, so no seller's people see them, whatever else they may."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_view: bool = super().has_view_permission(request, obj)  # type: ignore[misc]  # An admin class stands beside it.
        return may_view and not get_seller_roles(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


class MoneyAdmin(ShopStaffAlone, LookOnly, ModelAdmin):
    list_filter_submit = True
    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False
    actions: list[str] | None = None


class MoneyInline(LookOnly, TabularInline):
    extra = 0
    can_delete = False
