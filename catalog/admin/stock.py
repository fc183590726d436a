from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from accounts.admin.scoping import SellerRights, SellerScopedAdmin
from catalog.errors import StockRuleBroken
from catalog.models import StockLevel, StockMovement
from catalog.record_rules import MOST_PIECES
from catalog.services import stock
from shop.admin.look_only import LookOnly


class CountForm(forms.ModelForm):
    """Counts the shelf anew: how many pieces lie there now, and why the number differs."""

    counted = forms.IntegerField(
        label=gettext_lazy("Counted pieces"),
        min_value=0,
        max_value=MOST_PIECES,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("For example: delivery of 12 May, stocktaking, broken."),
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = StockLevel
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "counted" in self.fields:
            self.fields["counted"].initial = self.instance.on_hand


class LowStockFilter(admin.SimpleListFilter):
    title = gettext_lazy("availability")
    parameter_name = "left"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("none", _("sold out")), ("few", _("five or fewer"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StockLevel]) -> Any:
        most = {"none": 0, "few": 5}.get(self.value() or "")
        return queryset if most is None else queryset.filter(on_hand__lte=F("allocated") + most)


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
        "reference",
        "reason",
        "actor",
    ]
    ordering = ["-id"]
    per_page = 50
    can_delete = False
    extra = 0


@admin.register(StockLevel)
class StockLevelAdmin(SellerScopedAdmin, ModelAdmin):
    """Shelves: numbers are read here, and changed only by counting with a reason."""

    seller_path = "variant__product__seller"
    sellers_may_add = sellers_may_delete = False
    form = CountForm
    list_display = ["variant", "product", "on_hand", "allocated", "available_pieces"]
    list_filter = [LowStockFilter]
    list_select_related = ["variant__product"]
    search_fields = ["variant__sku", "variant__product__title"]
    ordering = ["variant__product__title", "variant__position"]
    readonly_fields = ["variant", "product", "on_hand", "allocated", "available_pieces"]
    fields = [
        ("variant", "product"),
        ("on_hand", "allocated", "available_pieces"),
        ("counted", "reason"),
    ]
    inlines = [MovementInline]

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
        stock.count(obj.variant, cleaned["counted"], actor=actor, reason=cleaned["reason"])
