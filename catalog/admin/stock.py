from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.admin.scoping import SellerRights, SellerScopedAdmin
from accounts.roles import Right
from catalog.admin.bulk_edit import BulkEditing
from catalog.errors import StockRuleBroken
from catalog.models import StockLevel, StockMovement
from catalog.queries.stock import only_low
from catalog.record_rules import MOST_PIECES
from catalog.services import stock
from shop.admin.look_only import LookOnly


class AdjustmentForm(forms.ModelForm):
    """Says what happened to the pieces on a shelf; the numbers themselves are not typed over."""

    cause = forms.ChoiceField(
        label=gettext_lazy("What happened"),
        choices=[("", "–"), *StockMovement.Cause.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    pieces = forms.IntegerField(
        label=gettext_lazy("Pieces"),
        required=False,
        min_value=-MOST_PIECES,
        max_value=MOST_PIECES,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy(
            "Received, came back, found: how many came. Damaged, lost: how many went. Counted: how "
            "many lie there now. Something else: how many came; with a minus, how many went."
        ),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For example: delivery note 4711, broken in the kiln."),
    )
    low_stock_at = forms.IntegerField(
        label=gettext_lazy("Running low at"),
        required=False,
        min_value=0,
        max_value=MOST_PIECES,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    class Meta:
        model = StockLevel
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "low_stock_at" in self.fields:
            self.fields["low_stock_at"].initial = self.instance.variant.low_stock_at
            self.fields["low_stock_at"].help_text = _(
                "So many pieces left to sell, or fewer, are told by mail. Empty: at %(count)d."
            ) % {"count": settings.SHOP_LOW_STOCK}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cause, pieces = cleaned.get("cause"), cleaned.get("pieces")
        if "pieces" in self.errors or "cause" in self.errors:
            return cleaned
        if cause and pieces is None:
            self.add_error("pieces", _("Say how many pieces."))
        elif pieces is not None and not cause:
            self.add_error("cause", _("Choose what happened."))
        elif cause and cause != StockMovement.Cause.OTHER and (pieces or 0) < 0:
            self.add_error("pieces", _("Give the number without a minus; the cause says the rest."))
        elif cause and cause != StockMovement.Cause.COUNTED and not pieces:
            self.add_error("pieces", _("Say how many pieces."))
        elif cause == StockMovement.Cause.OTHER and not cleaned.get("note"):
            self.add_error("note", _("Say in a few words what happened."))
        return cleaned


class LeftFilter(admin.SimpleListFilter):
    title = gettext_lazy("availability")
    parameter_name = "left"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("low", _("running low")), ("none", _("sold out"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StockLevel]) -> Any:
        if self.value() == "low":
            return only_low(queryset)
        if self.value() == "none":
            return queryset.filter(on_hand__lte=F("allocated"))
        return queryset


class MovementInline(LookOnly, SellerRights, TabularInline):
    """The ledger of one shelf, newest first."""

    model = StockMovement
    hide_title = True
    sellers_may_add = sellers_may_change = sellers_may_delete = False
    fields = [
        "created_at",
        "kind",
        "on_hand_change",
        "allocated_change",
        "cause",
        "reference",
        "reason",
        "actor",
    ]
    ordering = ["-id"]
    per_page = 50
    can_delete = False
    extra = 0


@admin.register(StockLevel)
class StockLevelAdmin(BulkEditing, SellerScopedAdmin, ModelAdmin):
    """Shelves: numbers are read here, and corrected only by saying what happened."""

    seller_path = "variant__product__seller"
    change_right = Right.COUNT_STOCK
    sellers_may_add = sellers_may_delete = False
    form = AdjustmentForm
    list_display = ["variant", "product", "on_hand", "allocated", "available_pieces"]
    list_filter = [LeftFilter]
    list_select_related = ["variant__product"]
    search_fields = ["variant__sku", "variant__product__title"]
    ordering = ["variant__product__title", "variant__position"]
    readonly_fields = ["variant", "product", "on_hand", "allocated", "available_pieces"]
    fields = [
        ("variant", "product"),
        ("on_hand", "allocated", "available_pieces"),
        "cause",
        "pieces",
        "note",
        "low_stock_at",
    ]
    inlines = [MovementInline]
    actions = ["edit_numbers"]

    @admin.display(description=gettext_lazy("product"), ordering="variant__product__title")
    def product(self, level: StockLevel) -> str:
        variant = level.variant
        return " – ".join(text for text in (variant.product.title, variant.label) if text)

    @admin.display(description=gettext_lazy("available"), ordering=F("on_hand") - F("allocated"))
    def available_pieces(self, level: StockLevel) -> int:
        return level.available

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except StockRuleBroken as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: StockLevel, form: Any, change: bool) -> None:
        actor: Any = request.user
        cleaned = form.cleaned_data
        stock.set_low_mark(obj.variant, cleaned["low_stock_at"])
        if cleaned["cause"]:
            stock.adjust(
                obj.variant,
                cleaned["pieces"],
                cause=StockMovement.Cause(cleaned["cause"]),
                note=cleaned["note"],
                actor=actor,
            )
