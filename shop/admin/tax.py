from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from shop.admin.countries import country_choices
from shop.models import TaxClass, TaxRate


class TaxRateForm(forms.ModelForm):
    country = forms.ChoiceField(
        label=_("country"), choices=country_choices, widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = TaxRate
        fields = ("tax_class", "country", "region", "name", "percent")


@admin.register(TaxClass)
class TaxClassAdmin(ModelAdmin):
    list_display = ["name", "code"]
    search_fields = ["name", "code"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"code": ["name"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code"] if obj else []


@admin.register(TaxRate)
class TaxRateAdmin(ModelAdmin):
    form = TaxRateForm
    list_display = ["country", "tax_class", "region", "name", "percent"]
    list_display_links = ["country", "tax_class"]
    list_filter = ["tax_class"]
    search_fields = ["country", "region"]
    list_select_related = ["tax_class"]
    list_per_page = 100
