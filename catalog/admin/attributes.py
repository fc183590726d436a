from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.scoping import SellerScopedAdmin
from catalog.models import Attribute
from catalog.services import indexing
from shop.admin.announcing import Announcing


@admin.register(Attribute)
class AttributeAdmin(Announcing, SellerScopedAdmin):
    """Kinds of facts, kept by the shop; sellers look them up for their products."""

    seller_path = ""
    sellers_may_add = sellers_may_change = sellers_may_delete = False
    list_display = ["name", "code", "kind", "unit", "is_filter", "position"]
    list_filter = ["kind", "is_filter"]
    search_fields = ["name", "code"]

    def list_subjects(self, rows: Sequence[Attribute]) -> list[str]:
        return ["attributes"]

    def save_model(self, request: HttpRequest, obj: Attribute, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and {"name", "unit"} & {*form.changed_data}:
            indexing.reindex_later(attribute=obj.pk)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"code": ["name"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Kind and unit say how values were read, so they stay once there are values."""
        return ["code", "kind", "unit"] if obj and obj.values.exists() else []
