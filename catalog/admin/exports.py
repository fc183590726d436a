"""Products as a CSV file, straight from the list: those that are chosen, or all."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from accounts.admin.scoping import get_seller_roles, list_sellers_where
from accounts.models import AuditEntry
from accounts.roles import Right
from accounts.services import audit
from catalog.exports import files
from catalog.exports.pages import Choice
from shop.clock import now


class ExportingAdmin(admin.ModelAdmin):
    """Gives the list of products its exports; sellers get their own products only."""

    actions_list = ["export_all"]

    @admin.action(description=gettext_lazy("Export these products (CSV)"), permissions=["export"])
    def export_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> StreamingHttpResponse:
        return self._send_chosen(request, queryset, format="emporium")

    @admin.action(
        description=gettext_lazy("Export these products for Shopify (CSV)"), permissions=["export"]
    )
    def export_for_shopify(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> StreamingHttpResponse:
        return self._send_chosen(request, queryset, format="shopify")

    @action(
        description=gettext_lazy("Export all (CSV)"),
        url_path="export",
        icon="download",
        permissions=["export"],
    )
    def export_all(self, request: HttpRequest) -> StreamingHttpResponse:
        _note(request, format="emporium", products="all")
        return _send(Choice(sellers=_list_sellers(request)), format="emporium")

    def has_export_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A file has what products cost the seller, so looking at them is not enough."""
        if get_seller_roles(request):
            return bool(_list_sellers(request))
        return self.has_change_permission(request)

    def _send_chosen(
        self, request: HttpRequest, queryset: QuerySet[Any], *, format: str
    ) -> StreamingHttpResponse:
        sellers = _list_sellers(request)
        rows = queryset if sellers is None else queryset.filter(seller__in=sellers)
        ids = list(rows.order_by().values_list("pk", flat=True))
        _note(request, format=format, products=len(ids))
        return _send(Choice(ids=ids), format=format)


def _list_sellers(request: HttpRequest) -> list[int] | None:
    """Return whose products the person may take out; None means everybody's."""
    if not get_seller_roles(request):
        return None
    return list_sellers_where(request, Right.EDIT_PRODUCTS)


def _note(request: HttpRequest, *, format: str, products: int | str) -> None:
    """Write down who took a file out, and how much was in it."""
    actor: Any = request.user
    with transaction.atomic():
        audit.record(
            AuditEntry.Kind.EXPORT,
            by=actor,
            door=AuditEntry.Door.ADMIN,
            subject="products",
            after={"format": format, "products": products},
        )


def _send(choice: Choice, *, format: str) -> StreamingHttpResponse:
    """Answer with a file that is written while it is sent."""
    day = timezone.localtime(now()).date().isoformat()
    return StreamingHttpResponse(
        files.write(choice, format=format),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="products-{format}-{day}.csv"',
            "Cache-Control": "private, no-store",
        },
    )
