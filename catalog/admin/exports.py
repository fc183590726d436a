"""Products as a CSV file, straight from the list: those that are chosen, or all."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from accounts.admin.scoping import get_seller_roles
from catalog.exports import files
from catalog.exports.pages import Choice
from shop.clock import now


class ExportingAdmin(admin.ModelAdmin):
    """Gives the list of products its exports; sellers get their own products only."""

    actions_list = ["export_all"]

    @admin.action(description=gettext_lazy("Export these products (CSV)"), permissions=["view"])
    def export_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> StreamingHttpResponse:
        ids = list(queryset.order_by().values_list("pk", flat=True))
        return _send(Choice(ids=ids), format="emporium")

    @admin.action(
        description=gettext_lazy("Export these products for Shopify (CSV)"), permissions=["view"]
    )
    def export_for_shopify(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> StreamingHttpResponse:
        ids = list(queryset.order_by().values_list("pk", flat=True))
        return _send(Choice(ids=ids), format="shopify")

    @action(
        description=gettext_lazy("Export all (CSV)"),
        url_path="export",
        icon="download",
        permissions=["view"],
    )
    def export_all(self, request: HttpRequest) -> StreamingHttpResponse:
        roles = get_seller_roles(request)
        return _send(Choice(sellers=list(roles) if roles else None), format="emporium")


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
