"""Synonyms, and what shoppers look for: above all what they do not find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from catalog.models import SearchRecord, Synonym
from catalog.search.synonyms import read_phrases
from shop.admin.announcing import Announcing
from shop.admin.look_only import LookOnly


class SynonymForm(forms.ModelForm):
    class Meta:
        model = Synonym
        fields = ("words", "means")

    def clean(self) -> dict[str, Any]:
        """Refuse a line that says nothing: one word alone means the same as no other."""
        cleaned = super().clean() or {}
        words, means = (cleaned.get(name, "") for name in ("words", "means"))
        if means and not read_phrases(means):
            self.add_error("means", _("There is no word in it."))
        if words and len(read_phrases(words)) < (1 if means else 2):
            self.add_error("words", _("Write at least two words, separated by a comma."))
        return cleaned


@admin.register(Synonym)
class SynonymAdmin(Announcing, ModelAdmin):
    form = SynonymForm
    list_display = ["words", "means"]
    search_fields = ["words", "means"]

    def list_subjects(self, rows: Sequence[Synonym]) -> list[str]:
        return ["synonyms"]


class FoundFilter(admin.SimpleListFilter):
    title = _("products found")
    parameter_name = "found"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("nothing", _("found nothing")), ("few", _("up to three")), ("more", _("more"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        conditions: dict[str | None, dict[str, Any]] = {
            "nothing": {"products": 0},
            "few": {"products__range": (1, 3)},
            "more": {"products__gt": 3},
        }
        return queryset.filter(**conditions.get(self.value(), {}))


@admin.register(SearchRecord)
class SearchRecordAdmin(LookOnly, ModelAdmin):
    """What was looked for, day by day; nobody writes here."""

    list_display = ["words", "searches", "products", "day"]
    list_filter = [FoundFilter, "day"]
    search_fields = ["words"]
    date_hierarchy = "day"
    ordering = ["-day", "-searches", "words"]
