"""The audit trail, read by owners: who changed what, when, from where, and what it was before."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.paginator import InfinitePaginator

from accounts.admin.scoping import SellerScopedAdmin
from accounts.admin.signing import Signed
from accounts.models import AuditEntry
from accounts.roles import Right
from shop.admin.look_only import LookOnly
from shop.admin.tax import TaxRateAdmin
from shop.models import TaxRate


@admin.register(AuditEntry)
class AuditEntryAdmin(LookOnly, SellerScopedAdmin, ModelAdmin):
    """A seller's owners read what is about their seller, the shop's owners everything."""

    look_right = Right.MANAGE_MEMBERS
    sellers_may_add = sellers_may_change = sellers_may_delete = False
    list_display = ["created_at", "kind", "who", "about", "difference", "door"]
    list_display_links = ["created_at", "kind"]
    list_filter = [("kind", ChoicesDropdownFilter), ("door", ChoicesDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["actor", "person", "seller"]
    list_per_page = 50
    search_fields = ["=subject", "=actor__email", "=person__email"]
    search_help_text = _("An email, or an object such as variant:12 or seller:3")
    date_hierarchy = "created_at"
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = None
    fields = [
        "created_at", "kind", "who", "door", "about", "seller", "before", "after", "reason",
    ]  # fmt: skip
    readonly_fields = ["who", "about"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("actor", "person", "seller")

    @admin.display(description=_("who"))
    def who(self, entry: AuditEntry) -> str:
        """Name who acted; the number stays when the person is erased."""
        if entry.actor_id is None:
            return "–"
        return str(entry.actor or f"user:{entry.actor_id}")

    @admin.display(description=_("about"))
    def about(self, entry: AuditEntry) -> str:
        if entry.person_id is None:
            return entry.subject
        return ", ".join(filter(None, (str(entry.person or ""), entry.subject)))

    @admin.display(description=_("before and after"))
    def difference(self, entry: AuditEntry) -> str:
        return f"{_write(entry.before)} → {_write(entry.after)}"


def _write(values: Any) -> str:
    """Write what was kept in one line."""
    if not values:
        return "–"
    return ", ".join(f"{name} {value}" for name, value in values.items())


admin.site.unregister(TaxRate)


@admin.register(TaxRate)
class SignedTaxRateAdmin(Signed, TaxRateAdmin):
    """Tax rates, whose changes say who made them; the ground floor knows no people."""
