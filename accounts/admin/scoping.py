"""How the rules of `accounts.roles` reach the admin: which rows a seller's people see and change."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.models import Seller
from accounts.roles import Right, find_seller_roles, has_right


def get_seller_roles(request: HttpRequest) -> dict[int, str]:
    """Return for which sellers the person works, and as what; empty for shop staff."""
    roles: dict[int, str] | None = getattr(request, "_seller_roles", None)
    if roles is None:
        user: Any = request.user
        roles = find_seller_roles(user)
        request._seller_roles = roles  # type: ignore[attr-defined]
    return roles


def list_sellers_where(request: HttpRequest, right: Right) -> list[int]:
    """Return for which sellers the person has a right; empty for shop staff."""
    return [seller for seller, role in get_seller_roles(request).items() if has_right(role, right)]


def lacks_everywhere(request: HttpRequest, right: Right) -> bool:
    """Say whether somebody works for sellers, and has the right at none of them."""
    return bool(get_seller_roles(request)) and not list_sellers_where(request, right)


def lacks_somewhere(request: HttpRequest, right: Right) -> bool:
    """Say whether somebody works for a seller without having the right there."""
    return any(not has_right(role, right) for role in get_seller_roles(request).values())


class SellerRights(BaseModelAdmin):
    """Rights that come from working for a seller; everybody else needs Django's permissions.

    Which rows they reach is the list's matter: see `SellerScopedAdmin.get_queryset`.
    """

    look_right = Right.LOOK
    change_right = Right.EDIT_PRODUCTS
    sellers_may_look = True
    sellers_may_add = True
    sellers_may_change = True
    sellers_may_delete = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if get_seller_roles(request):
            return self.sellers_may_look and bool(list_sellers_where(request, self.look_right))
        return super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        if get_seller_roles(request):
            return self.sellers_may_add and bool(list_sellers_where(request, self.change_right))
        return super().has_add_permission(request, *args)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if get_seller_roles(request):
            return self.sellers_may_change and bool(list_sellers_where(request, self.change_right))
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if get_seller_roles(request):
            return self.sellers_may_delete and bool(list_sellers_where(request, self.change_right))
        return super().has_delete_permission(request, obj)


class SellerScopedAdmin(SellerRights, ModelAdmin):
    """An admin whose rows belong to sellers, by the lookup `seller_path`; "" means to all."""

    seller_path = "seller"

    def has_module_permission(self, request: HttpRequest) -> bool:
        if get_seller_roles(request):
            return self.has_view_permission(request)
        return super().has_module_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        rows = super().get_queryset(request)
        if get_seller_roles(request) and self.seller_path:
            theirs = list_sellers_where(request, self.look_right)
            rows = rows.filter(**{f"{self.seller_path}__in": theirs})
        return rows

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_theirs(request, obj)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if get_seller_roles(request) and db_field.related_model is Seller:
            theirs = list_sellers_where(request, self.change_right)
            kwargs["queryset"] = Seller.objects.filter(pk__in=theirs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Let sellers' people filter by what the page offers, so that no column can be guessed at.

        Django lets everybody filter a list by every column of its own table.
        """
        if request is not None and get_seller_roles(request) and not self._offers(lookup, request):
            return False
        return super().lookup_allowed(lookup, value, request)

    def _offers(self, lookup: str, request: HttpRequest) -> bool:
        first = lookup.split("__")[0]
        try:
            self.opts.get_field(first)
        except FieldDoesNotExist:
            return True  # A filter of ours with a name of its own, or nothing at all.
        filters = [entry[0] if isinstance(entry, tuple) else entry
                   for entry in self.get_list_filter(request)]  # fmt: skip
        names = [name for name in [*filters, self.date_hierarchy] if isinstance(name, str)]
        return first in ("pk", "id") or any(lookup.startswith(name) for name in names)

    def _is_theirs(self, request: HttpRequest, obj: Any) -> bool:
        """Say whether the person may change this row: for packers, nothing is."""
        roles = get_seller_roles(request)
        if not roles or not self.seller_path or obj is None:
            return True
        seller = obj
        for step in self.seller_path.split("__"):
            seller = getattr(seller, step)
        return has_right(roles.get(getattr(seller, "pk", seller), ""), self.change_right)
