from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.admin import ModelAdmin

from shop.models import Page
from shop.services import content


@admin.register(Page)
class PageAdmin(ModelAdmin):
    list_display = ["title", "slug", "is_in_footer", "position", "updated_at"]
    search_fields = ["title", "body"]
    fields = ["title", "slug", "body", "is_in_footer", "position"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["title"]}

    def view_on_site(self, page: Page) -> str:
        return reverse("shop:page", args=[page.slug])

    def save_model(self, request: HttpRequest, obj: Page, form: Any, change: bool) -> None:
        content.save_page(obj)

    def delete_model(self, request: HttpRequest, obj: Page) -> None:
        content.delete_pages([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Page]) -> None:
        with transaction.atomic():
            content.delete_pages(list(queryset))
