from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.admin.scoping import SellerScopedAdmin
from catalog.admin.uploads import UploadForm, UploadingAdmin, bind_uploads
from catalog.models import Category
from catalog.services import categories
from shop.admin.announcing import Announcing


class CategoryForm(UploadForm):
    class Meta:
        model = Category
        fields = (
            *("name", "slug", "parent", "description", "image_alt", "position"),
            *("seo_title", "seo_description"),
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            self.instance.slug, self.instance.parent = cleaned["slug"], cleaned["parent"]
            categories.check(self.instance)
        return cleaned


@admin.register(Category)
class CategoryAdmin(Announcing, UploadingAdmin, SellerScopedAdmin):
    """The tree, kept by the shop; sellers look categories up for their products."""

    seller_path = ""
    sellers_may_add = sellers_may_change = sellers_may_delete = False
    form = CategoryForm
    list_display = ["path", "name", "position"]
    ordering = ["path"]
    search_fields = ["name", "path"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("name", "slug", "parent", "description"),
                    *("upload", "image_alt", "position"),
                ]
            },
        ),
        (
            gettext_lazy("Search engines"),
            {"fields": ["seo_title", "seo_description"], "classes": ["collapse"]},
        ),
    ]
    list_per_page = 200

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return bind_uploads(super().get_form(request, obj, **kwargs), request)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["name"]}

    def view_on_site(self, category: Category) -> str:
        return reverse("catalog:category", args=[category.path])

    def list_subjects(self, rows: Sequence[Category]) -> list[str]:
        return ["categories"]

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        if form.uploaded:
            obj.image = form.uploaded
        categories.place(obj)
