"""Where the books disagree: staff ask the provider again, or close a break with the reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from accounts.admin.scoping import get_seller_roles
from payments.admin.readonly import ShopStaffAlone
from payments.models import ReconciliationBreak
from payments.services import breaks, reconciliation
from shop.errors import ShopError
from shop.formatting import format_money
from shop.money import Money
from shop.templatetags.dates import moment

Status = ReconciliationBreak.Status
COLOURS = {
    Status.OPEN.value: "danger",
    Status.RESOLVED.value: "success",
    Status.ACCEPTED.value: "default",
}


class DecisionForm(forms.ModelForm):
    """How a break is closed; the reason is for whoever looks at the books later."""

    decision = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[
            ("", gettext_lazy("Leave it open")),
            (Status.RESOLVED.value, gettext_lazy("It is mended")),
            (Status.ACCEPTED.value, gettext_lazy("It stays as it is")),
        ],
        required=False,
        widget=UnfoldAdminRadioSelectWidget,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("What came of it, for whoever looks at the books later."),
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = ReconciliationBreak
        fields = ()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("decision") and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("Say why: the books are looked at later, too."))
        return cleaned


@admin.register(ReconciliationBreak)
class ReconciliationBreakAdmin(ShopStaffAlone, ModelAdmin):
    """The open ones first, the oldest at the top."""

    form = DecisionForm
    list_display = [
        "number", "happened", "subject", "kind", "our_side", "their_side", "state",
    ]  # fmt: skip
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("subject", ChoicesDropdownFilter),
        "provider",
    ]
    list_filter_submit = True
    list_select_related = ["attempt"]
    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False
    search_fields = ["=provider_id", "=attempt__reference"]
    search_help_text = gettext_lazy("The provider's number, or the payment's reference")
    actions = ["ask_again"]
    change_form_outer_before_template = "admin/payments/ask_again.html"
    looked_at = [
        "provider", "subject", "provider_id", "kind", "finding", "our_side", "their_side",
        "attempt", "transaction", "happened_at", "first_seen_at", "last_seen_at",
    ]  # fmt: skip
    how_it_ended = ["status", "note", "closed_by", "closed_at"]
    readonly_fields = [*looked_at, *how_it_ended]

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["closed_at", "happened_at", "pk"] if _shows_open(request) else ["-pk"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sets: list[Any] = [(None, {"fields": self.looked_at})]
        if obj is not None and self.has_change_permission(request, obj):
            sets.append((gettext_lazy("What came of it"), {"fields": ["decision", "reason"]}))
        else:
            sets.append((gettext_lazy("What came of it"), {"fields": self.how_it_ended}))
        return sets

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_open = obj is None or obj.status == Status.OPEN
        if not is_open or get_seller_roles(request):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Let the service close it; the row itself is never saved from here."""
        decision = form.cleaned_data.get("decision")
        if not decision:
            return
        actor: Any = request.user
        reason = form.cleaned_data["reason"].strip()
        if not breaks.close(obj.pk, status=decision, note=reason, by=actor):
            messages.warning(request, _("It was closed meanwhile; nothing was changed."))

    # Asking again --------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.ask_view))
        name = "payments_reconciliationbreak_ask"
        return [path("<int:object_id>/ask/", view, name=name), *super().get_urls()]

    def ask_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Ask the provider about one break; not within the admin's transaction, as saving is."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        row = get_object_or_404(ReconciliationBreak, pk=object_id)
        self._ask(request, row)
        return redirect(reverse("admin:payments_reconciliationbreak_change", args=[row.pk]))

    @action(description=gettext_lazy("Ask the provider again"), permissions=["change"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[ReconciliationBreak]) -> None:
        for row in queryset:
            self._ask(request, row)

    def _ask(self, request: HttpRequest, row: ReconciliationBreak) -> None:
        try:
            row = reconciliation.look_again(row.pk)
        except ShopError as error:
            messages.error(
                request,
                _("%(number)s: the provider could not be asked. %(error)s")
                % {"number": row.provider_id, "error": error},
            )
            return
        if row.status == Status.OPEN:
            text = _("%s: the provider was asked; the books still disagree.")
            messages.warning(request, text % row.provider_id)
        else:
            messages.success(request, _("%s: the books agree now.") % row.provider_id)

    # The list ------------------------------------------------------------------------------------

    @display(description=gettext_lazy("number"), ordering="provider_id")
    def number(self, row: ReconciliationBreak) -> str:
        return row.provider_id

    @display(description=gettext_lazy("when"), ordering="happened_at")
    def happened(self, row: ReconciliationBreak) -> str:
        return moment(row.happened_at)

    @display(description=gettext_lazy("in our books"))
    def our_side(self, row: ReconciliationBreak) -> str:
        return _written(row.our_money)

    @display(description=gettext_lazy("at the provider"))
    def their_side(self, row: ReconciliationBreak) -> str:
        return _written(row.their_money)

    @display(description=gettext_lazy("status"), label=COLOURS)
    def state(self, row: ReconciliationBreak) -> tuple[str, str]:
        return row.status, str(row.get_status_display())


def _written(money: Money | None) -> str:
    return "–" if money is None else format_money(money)


def _shows_open(request: HttpRequest) -> bool:
    return request.GET.get("status__exact") == Status.OPEN
