from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.scoping import SellerRights, SellerScopedAdmin
from catalog import facts, index
from catalog.admin.uploads import UploadForm, UploadingAdmin, bind_uploads
from catalog.models import Attribute, Collection, CollectionItem
from catalog.queries.collections import list_definitions, list_members
from shop.admin.announcing import Announcing
from shop.models import FormerAddress
from shop.money import quantize
from shop.services import addresses

RULE = [
    "categories", "sellers", "tags", "facts", "price_min", "price_max", "is_reduced", "newest_days",
]  # fmt: skip


class CollectionForm(UploadForm):
    class Meta:
        model = Collection
        fields = (
            *("name", "slug", "description", "image_alt", "is_public", "is_in_menu", "is_on_home"),
            *("position", "kind", *RULE, "seo_title", "seo_description"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show amounts as the currency writes them, without the column's spare places."""
        super().__init__(*args, **kwargs)
        for name in ("price_min", "price_max"):
            if (amount := self.initial.get(name)) is not None:
                self.initial[name] = quantize(amount, settings.SHOP_CURRENCY)

    def clean_facts(self) -> list[str]:
        """Take "Material = Stoneware" too, and write it as filters do."""
        return [self._read_fact(fact) for fact in self.cleaned_data["facts"]]

    def clean_tags(self) -> list[str]:
        return list(dict.fromkeys(tag for tag in map(str.strip, self.cleaned_data["tags"]) if tag))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        is_by_rule = cleaned.get("kind") == Collection.Kind.RULE
        if is_by_rule and not self.errors and not any(cleaned.get(name) for name in RULE):
            self.add_error(
                "kind", _("Fill in at least one part of the rule: without any it finds everything.")
            )
        return cleaned

    @staticmethod
    def _read_fact(fact: str) -> str:
        name, _equals, value = (part.strip() for part in fact.partition("="))
        attribute = Attribute.objects.filter(Q(code=name) | Q(name__iexact=name)).first()
        if attribute is None:
            raise forms.ValidationError(
                _("There is no attribute “%(name)s”. Write one like material=stoneware.")
                % {"name": name}
            )
        found = facts.read([value], kind=attribute.kind, unit=attribute.unit)
        if len(found) != 1:
            raise forms.ValidationError(
                _("Write one value behind %(name)s=, such as material=stoneware.") % {"name": name}
            )
        return f"{attribute.code}={found[0].facet}"


class CollectionItemInline(SellerRights, TabularInline):
    model = CollectionItem
    hide_title = True
    sellers_may_look = sellers_may_add = sellers_may_change = sellers_may_delete = False
    autocomplete_fields = ["product"]
    fields = ["product", "position"]
    extra = 0


@admin.register(Collection)
class CollectionAdmin(Announcing, UploadingAdmin, SellerScopedAdmin):
    """Collections, kept by the shop: chosen product by product, or found by a rule."""

    seller_path = ""
    # Their pages name products of every seller, also those that are not on sale yet.
    sellers_may_look = sellers_may_add = sellers_may_change = sellers_may_delete = False
    form = CollectionForm
    list_display = ["name", "kind", "found", "is_public", "is_in_menu", "is_on_home", "position"]
    search_fields = ["name", "slug"]
    ordering = ["position", "name"]
    formfield_overrides = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}
    autocomplete_fields = ["categories", "sellers"]
    readonly_fields = ["found"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "description", "upload", "image_alt"]}),
        (
            gettext_lazy("Where it is shown"),
            {"fields": [("is_public", "is_in_menu", "is_on_home"), "position"]},
        ),
        (gettext_lazy("Its products"), {"fields": ["kind", "found"]}),
        (
            gettext_lazy("The rule"),
            {
                "description": gettext_lazy(
                    "A product must fit all that is filled in; of several categories, sellers, "
                    "tags, or values of one attribute, one will do. Separate them by commas."
                ),
                "fields": [
                    "categories", "sellers", "tags", "facts", ("price_min", "price_max"),
                    ("is_reduced", "newest_days"),
                ],
            },
        ),
        (
            gettext_lazy("Search engines"),
            {"fields": ["seo_title", "seo_description"], "classes": ["collapse"]},
        ),
    ]  # fmt: skip
    inlines = [CollectionItemInline]

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return bind_uploads(super().get_form(request, obj, **kwargs), request)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["name"]}

    def view_on_site(self, collection: Collection) -> str | None:
        if not collection.is_public:
            return None
        return reverse("catalog:collection", args=[collection.slug])

    def list_subjects(self, rows: Sequence[Collection]) -> list[str]:
        return ["collections"]

    @admin.display(description=gettext_lazy("finds now"))
    def found(self, collection: Collection) -> str:
        if collection._state.adding:
            return "–"
        definitions = list_definitions("c.id = %(id)s", id=collection.pk)
        many = sum(len(list_members(each, index.current())) for each in definitions)
        return ngettext("%(count)d product", "%(count)d products", many) % {"count": many}

    def save_model(self, request: HttpRequest, obj: Collection, form: Any, change: bool) -> None:
        if form.uploaded:
            obj.image = form.uploaded
        before = form.initial.get("slug", "")
        super().save_model(request, obj, form, change)
        addresses.remember(FormerAddress.Kind.COLLECTION, [(obj.pk, before, obj.slug)])
