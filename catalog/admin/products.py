from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import F, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.scoping import SellerScopedAdmin, get_seller_roles, lacks_somewhere
from accounts.admin.signing import Signed
from accounts.roles import Right
from catalog.admin.bulk_edit import BulkEditPage
from catalog.admin.exports import ExportingAdmin
from catalog.admin.product_parts import (
    FactInline,
    OptionInline,
    ProductImageInline,
    RelatedInline,
    VariantInline,
)
from catalog.admin.uploads import UploadingAdmin
from catalog.models import Option, Product
from catalog.services import assortment, publishing
from shop.admin.announcing import Announcing
from shop.models import FormerAddress
from shop.money import Money
from shop.services import addresses
from shop.templatetags.money import money


@admin.register(Product)
class ProductAdmin(
    Signed, BulkEditPage, ExportingAdmin, Announcing, UploadingAdmin, SellerScopedAdmin
):
    """A product on one page: words, pictures, options, variants, facts."""

    list_display = ["title", "seller", "category", "price", "pieces", "state"]
    list_select_related = ["seller", "category"]
    ordering = ["-id"]
    search_fields = ["title", "slug", "variants__sku"]
    sellers_may_delete = False
    autocomplete_fields = ["category"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "title", "slug", "status", "seller", "category", "tax_class", "tags",
                    "short_description", "description", "care", "origin",
                ]
            },
        ),
        (
            gettext_lazy("Search engines"),
            {"fields": ["seo_title", "seo_description"], "classes": ["collapse"]},
        ),
    ]  # fmt: skip
    formfield_overrides = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}
    inlines = [ProductImageInline, OptionInline, VariantInline, FactInline, RelatedInline]
    warn_unsaved_form = True
    actions = ["edit_numbers", "export_chosen", "export_for_shopify"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).defer("search", "description")
        return rows.annotate(
            left=Sum(F("variants__stock_level__on_hand") - F("variants__stock_level__allocated"))
        )

    def list_subjects(self, rows: Sequence[Product]) -> list[str]:
        return [f"product:{product.pk}" for product in rows]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Leave prices out for whoever only packs, at any of their sellers."""
        columns = list(super().get_list_display(request))
        if lacks_somewhere(request, Right.SEE_MONEY):
            columns.remove("price")
        return columns

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return ["status"] if get_seller_roles(request) else ["status", "seller"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["title"]}

    def view_on_site(self, product: Product) -> str | None:
        if product.status != Product.Status.ACTIVE:
            return None
        return reverse("catalog:product", args=[product.slug])

    @admin.display(description=gettext_lazy("price"), ordering="price_from")
    def price(self, product: Product) -> str:
        if product.price_from is None:
            return _("none yet")
        price = money(Money(product.price_from, settings.SHOP_CURRENCY))
        if product.price_to == product.price_from:
            return price
        return _("from %(price)s") % {"price": price}

    @admin.display(description=gettext_lazy("pieces"), ordering="left")
    def pieces(self, product: Any) -> int | str:
        return "–" if product.left is None else product.left

    @display(
        description=gettext_lazy("status"),
        ordering="status",
        label={"active": "success", "draft": "info", "archived": "warning"},
    )
    def state(self, product: Product) -> tuple[str, str]:
        return product.status, product.get_status_display()

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        before = form.initial.get("slug", "")
        super().save_model(request, obj, form, change)
        addresses.remember(FormerAddress.Kind.PRODUCT, [(obj.pk, before, obj.slug)])

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.model is Option:
            for row in formset.forms:
                if row.instance.pk and "choices" in (row.cleaned_data or {}):
                    assortment.set_choices(row.instance, row.cleaned_data["choices"])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        publishing.finish(form.instance)
