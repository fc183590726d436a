"""Who may do what in the admin: shop staff by their rights, sellers' people with their own rows."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.models import Seller, SellerMember

CHANGERS = {SellerMember.Role.OWNER, SellerMember.Role.MANAGER}


def get_seller_roles(request: HttpRequest) -> dict[int, str]:
    """Return for which sellers the person works, and as what; empty for shop staff."""
    roles: dict[int, str] | None = getattr(request, "_seller_roles", None)
    if roles is None:
        user: Any = request.user
        rows = (
            SellerMember.objects.filter(user=user)
            if user.is_active and user.is_staff and not user.is_superuser
            else SellerMember.objects.none()
        )
        roles = dict(rows.values_list("seller_id", "role"))
        request._seller_roles = roles  # type: ignore[attr-defined]
    return roles


def may_change_anything(request: HttpRequest) -> bool:
    return any(role in CHANGERS for role in get_seller_roles(request).values())


class SellerRights(BaseModelAdmin):
    """Rights that come from working for a seller; everybody else needs Django's permissions.

    Which rows they reach is the list's matter: see `SellerScopedAdmin.get_queryset`.
    """

    sellers_may_add = True
    sellers_may_change = True
    sellers_may_delete = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(get_seller_roles(request)) or super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        if get_seller_roles(request):
            return self.sellers_may_add and may_change_anything(request)
        return super().has_add_permission(request, *args)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if get_seller_roles(request):
            return self.sellers_may_change and may_change_anything(request)
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if get_seller_roles(request):
            return self.sellers_may_delete and may_change_anything(request)
        return super().has_delete_permission(request, obj)


class SellerScopedAdmin(SellerRights, ModelAdmin):
    """An admin whose rows belong to sellers, by the lookup `seller_path`; "" means to all."""

    seller_path = "seller"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(get_seller_roles(request)) or super().has_module_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        rows = super().get_queryset(request)
        roles = get_seller_roles(request)
        if roles and self.seller_path:
            rows = rows.filter(**{f"{self.seller_path}__in": list(roles)})
        return rows

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_theirs(request, obj)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        roles = get_seller_roles(request)
        if roles and db_field.related_model is Seller:
            kwargs["queryset"] = Seller.objects.filter(pk__in=roles)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _is_theirs(self, request: HttpRequest, obj: Any) -> bool:
        """Say whether the person may change this row: for packers, nothing is."""
        roles = get_seller_roles(request)
        if not roles or not self.seller_path or obj is None:
            return True
        seller = obj
        for step in self.seller_path.split("__"):
            seller = getattr(seller, step)
        return roles.get(getattr(seller, "pk", seller)) in CHANGERS
