"""Prices and shelves of many variants on one page: type or reckon, look at it, save all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin

from accounts.admin.scoping import get_seller_roles, list_sellers_where
from accounts.roles import Right
from catalog.admin.bulk_forms import (
    AllRowsForm,
    ForAllRows,
    RowForm,
    find_fault,
    write_amount,
    write_numbers,
)
from catalog.models import Product, ProductVariant, StockLevel
from catalog.services import bulk_editing
from catalog.services.bulk_editing import ChangedMeanwhile, Edit, Numbers
from shop.errors import ShopError
from shop.formatting import format_money
from shop.money import Money

MOST = 250
"""So many rows with all their fields are one form that the shop takes."""
URL_NAME = "catalog_bulk_edit"


@dataclass(frozen=True, slots=True)
class Step:
    """A number before and after, as the preview shows it."""

    before: str
    after: str

    @property
    def differs(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class PreviewRow:
    form: RowForm
    price: Step
    compare_at: Step
    pieces: Step


class BulkEditing(ModelAdmin):
    """Gives a list an action that leads to the page; the admin of products also has the page."""

    @admin.action(description=gettext_lazy("Edit prices and stock"), permissions=["change"])
    def edit_numbers(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        rows = _list_variants(request)
        if queryset.model is Product:
            rows = rows.filter(product__in=queryset.order_by().values("pk"))
        else:
            rows = rows.filter(stock_level__in=queryset.order_by().values("pk"))
        ids = list(rows.values_list("pk", flat=True)[: MOST + 1])
        if not ids:
            self.message_user(request, _("There is nothing to edit."), messages.WARNING)
            return None
        if len(ids) > MOST:
            self.message_user(request, _too_many(), messages.WARNING)
            return None
        query = ",".join(map(str, ids))
        return HttpResponseRedirect(f"{reverse(f'admin:{URL_NAME}')}?variants={query}")


class BulkEditPage(BulkEditing):
    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.bulk_edit_view)
        return [path("prices-and-stock/", view, name=URL_NAME), *super().get_urls()]

    def bulk_edit_view(self, request: HttpRequest) -> HttpResponse:
        """Show the table; with `step` preview or save, go on with what was typed."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        typed = request.POST if request.method == "POST" else None
        chosen = (typed or request.GET).get("variants", "")
        rows = _read_rows(request, chosen)
        if not rows:
            messages.warning(request, _("There is nothing to edit."))
            return HttpResponseRedirect(reverse("admin:catalog_product_changelist"))
        if typed is None:
            return self._show_table(request, _make_forms(rows), AllRowsForm())
        forms, for_all = _make_forms(rows, typed), AllRowsForm(typed)
        is_valid = all([form.is_valid() for form in forms] + [for_all.is_valid()])
        if not is_valid or typed.get("step") not in ("preview", "save"):
            return self._show_table(request, forms, for_all)
        if typed["step"] == "save":
            return self._save(request, forms, for_all)
        return self._preview(request, forms, for_all)

    def _preview(
        self, request: HttpRequest, forms: list[RowForm], for_all: AllRowsForm
    ) -> HttpResponse:
        cleaned = for_all.cleaned_data
        names = ForAllRows.__dataclass_fields__
        reckoning = ForAllRows(**{name: cleaned[name] for name in names})
        edits = [reckoning.apply(form.make_edit()) for form in forms]
        for form, edit in zip(forms, edits, strict=True):
            if fault := find_fault(edit):
                form.add_error(*fault)
        if any(form.errors for form in forms):
            return self._show_table(request, forms, for_all)
        changed = [
            _preview_row(form, edit)
            for form, edit in zip(forms, edits, strict=True)
            if edit.changes_anything
        ]
        if not changed:
            messages.info(request, _("Nothing would change."))
            return self._show_table(request, forms, for_all)
        context = {
            "rows": changed,
            "hidden": _write_hidden(edits, cleaned),
            "prices": sum(row.price.differs or row.compare_at.differs for row in changed),
            "shelves": sum(row.pieces.differs for row in changed),
            "cause": for_all.story[0].label,
            "note": for_all.story[1],
        }
        return self._answer(request, "admin/catalog/bulk_preview.html", context)

    def _save(
        self, request: HttpRequest, forms: list[RowForm], for_all: AllRowsForm
    ) -> HttpResponse:
        cause, note = for_all.story
        actor: Any = request.user
        edits = [form.make_edit() for form in forms]
        try:
            changed = bulk_editing.save(
                edits,
                among=list_sellers_where(request, Right.EDIT_PRODUCTS)
                if get_seller_roles(request)
                else None,
                cause=cause,
                note=note,
                actor=actor,
            )
        except ChangedMeanwhile as conflict:
            messages.error(request, str(conflict))
            return self._show_conflict(request, forms, for_all, conflict)
        except ShopError as refusal:
            messages.error(request, str(refusal))
            return self._show_table(request, forms, for_all)
        self._log(request, changed, {edit.variant_id: edit for edit in edits})
        messages.success(
            request,
            ngettext("%(count)d variant is saved.", "%(count)d variants are saved.", len(changed))
            % {"count": len(changed)},
        )
        return HttpResponseRedirect(reverse("admin:catalog_product_changelist"))

    def _show_conflict(
        self,
        request: HttpRequest,
        forms: list[RowForm],
        for_all: AllRowsForm,
        conflict: ChangedMeanwhile,
    ) -> HttpResponse:
        """Show the table again, with what was typed, and beside it what others have made of it."""
        typed: QueryDict = request.POST.copy()
        for pk, now in conflict.current.items():
            typed[f"v{pk}-seen"] = write_numbers(now)
        again = _make_forms([(form.variant, form.now) for form in forms], typed)
        for form in again:
            if form.is_valid() and form.variant.pk in conflict.current:
                words = _describe(conflict.current[form.variant.pk])
                form.add_error(None, _("Now it is: %s") % words)
        return self._show_table(request, again, for_all)

    def _show_table(
        self, request: HttpRequest, forms: list[RowForm], for_all: AllRowsForm
    ) -> HttpResponse:
        context = {
            "forms": forms,
            "for_all": for_all,
            "faults": [
                (form.add_prefix(name), text)
                for form in [for_all, *forms]
                for name, texts in form.errors.items()
                for text in texts
            ],
            "variants": ",".join(str(form.variant.pk) for form in forms),
            "has_shelves": any(form.now.pieces is not None for form in forms),
        }
        return self._answer(request, "admin/catalog/bulk_edit.html", context)

    def _answer(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name
        frame = {
            **self.admin_site.each_context(request),
            "title": _("Prices and stock"),
            "opts": self.opts,
            "currency": settings.SHOP_CURRENCY,
            "list_url": reverse("admin:catalog_product_changelist"),
        }
        return TemplateResponse(request, template, frame | context)

    def _log(
        self, request: HttpRequest, changed: list[ProductVariant], edits: dict[int, Edit]
    ) -> None:
        """Tell the history of each product what changed."""
        by_product: dict[Product, list[str]] = {}
        for variant in changed:
            edit = edits[variant.pk]
            words = f"{variant.sku}: {_describe(edit.seen)} → {_describe(edit.wanted)}"
            by_product.setdefault(variant.product, []).append(words)
        with transaction.atomic():
            for product, lines in by_product.items():
                self.log_change(request, product, "; ".join(lines))


def _list_variants(request: HttpRequest) -> QuerySet[ProductVariant]:
    """Return the variants whose numbers the person may change."""
    rows = ProductVariant.objects.filter(is_active=True)
    if get_seller_roles(request):
        own = list_sellers_where(request, Right.EDIT_PRODUCTS)
        rows = rows.filter(product__seller__in=own)
    return rows.select_related("product", "stock_level").order_by(
        "product__title", "product_id", "position", "pk"
    )


def _read_rows(request: HttpRequest, chosen: str) -> list[tuple[ProductVariant, Numbers]]:
    ids = [int(text) for text in chosen.split(",") if text.isascii() and text.isdigit()]
    ids = [pk for pk in ids if pk < 2**63][:MOST]
    counts = admin.site.get_model_admin(StockLevel).has_change_permission(request)
    return [
        (variant, _read_numbers(variant, with_pieces=counts))
        for variant in _list_variants(request).filter(pk__in=ids)
    ]


def _read_numbers(variant: ProductVariant, *, with_pieces: bool) -> Numbers:
    level = getattr(variant, "stock_level", None)
    is_counted = variant.tracks_stock and level is not None and with_pieces
    return Numbers(
        price=variant.price,
        compare_at=variant.compare_at_price,
        pieces=level.on_hand if is_counted and level else None,
    )


def _make_forms(rows: list[tuple[ProductVariant, Numbers]], data: Any = None) -> list[RowForm]:
    return [RowForm(variant, now, data=data) for variant, now in rows]


def _preview_row(form: RowForm, edit: Edit) -> PreviewRow:
    seen, wanted = edit.seen, edit.wanted
    return PreviewRow(
        form=form,
        price=Step(_money(seen.price), _money(wanted.price)),
        compare_at=Step(_money(seen.compare_at), _money(wanted.compare_at)),
        pieces=Step(
            *("–" if pieces is None else str(pieces) for pieces in (seen.pieces, wanted.pieces))
        ),
    )


def _write_hidden(edits: list[Edit], cleaned: dict[str, Any]) -> list[tuple[str, str]]:
    """Write what was reckoned into hidden fields; what was done to all rows is done."""
    fields = [
        ("variants", ",".join(str(edit.variant_id) for edit in edits)),
        ("all-cause", cleaned["cause"]),
        ("all-note", cleaned["note"]),
    ]
    for edit in edits:
        prefix, wanted = f"v{edit.variant_id}", edit.wanted
        fields += [
            (f"{prefix}-price", write_amount(wanted.price)),
            (f"{prefix}-before", write_amount(wanted.compare_at)),
            (f"{prefix}-seen", write_numbers(edit.seen)),
        ]
        if wanted.pieces is not None:
            fields.append((f"{prefix}-pieces", str(wanted.pieces)))
    return fields


def _describe(numbers: Numbers) -> str:
    words = [_money(numbers.price)]
    if numbers.compare_at is not None:
        words.append(_("before %s") % _money(numbers.compare_at))
    if numbers.pieces is not None:
        words.append(
            ngettext("%(count)d piece", "%(count)d pieces", numbers.pieces)
            % {"count": numbers.pieces}
        )
    return ", ".join(words)


def _money(amount: Any) -> str:
    return "–" if amount is None else format_money(Money(amount, settings.SHOP_CURRENCY))


def _too_many() -> str:
    return _("That is more than %(most)d variants; choose fewer products.") % {"most": MOST}
