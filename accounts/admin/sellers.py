from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from accounts.admin.scoping import SellerScopedAdmin, get_seller_roles
from accounts.models import Seller, SellerMember
from accounts.roles import Right
from accounts.services import sellers
from shop.admin.announcing import Announcing
from shop.admin.look_only import LookOnly
from shop.models import FormerAddress
from shop.services import addresses


class MemberInline(LookOnly, TabularInline):
    """Who works there; changed on the page of members."""

    model = SellerMember
    fields = ["user", "role"]
    extra = 0
    can_delete = False
    show_change_link = True


@admin.register(Seller)
class SellerAdmin(Announcing, SellerScopedAdmin):
    """The shop's staff see every seller; a seller's people tell their own story."""

    seller_path = "pk"
    change_right = Right.TELL_STORY
    sellers_may_add = False
    sellers_may_delete = False
    list_display = ["name", "place", "country", "status"]
    list_filter = ["status"]
    search_fields = ["name", "slug", "email"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "status", "email"]}),
        (_("Where"), {"fields": ["place", "country"]}),
        (_("What shoppers read"), {"fields": ["tagline", "story", "handling_days"]}),
    ]
    inlines = [MemberInline]

    def list_subjects(self, rows: Sequence[Seller]) -> list[str]:
        return [f"seller:{seller.pk}" for seller in rows]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["name"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["slug", "status"] if get_seller_roles(request) else []

    def save_model(self, request: HttpRequest, obj: Seller, form: Any, change: bool) -> None:
        before = form.initial.get("slug", "")
        super().save_model(request, obj, form, change)
        addresses.remember(FormerAddress.Kind.SELLER, [(obj.pk, before, obj.slug)])
        if change and "name" in form.changed_data:
            sellers.tell_new_name(obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [] if get_seller_roles(request) else [MemberInline]
