from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from payments.admin.readonly import MoneyAdmin
from payments.models import Refund
from shop.formatting import format_money
from shop.money import Money
from shop.templatetags.dates import moment

COLOURS = {
    Refund.Status.PENDING.value: "info",
    Refund.Status.SUCCEEDED.value: "success",
    Refund.Status.FAILED.value: "danger",
}


@admin.register(Refund)
class RefundAdmin(MoneyAdmin):
    list_display = ["provider_number", "decided", "money", "state", "reason", "failure"]
    list_display_links = ["provider_number"]
    list_filter = [("status", ChoicesDropdownFilter)]
    list_select_related = ["attempt"]
    search_fields = ["=provider_id", "=attempt__reference"]
    search_help_text = _("The provider's number of the refund, or the payment's reference")
    fields = [
        "attempt", "status", "money", "reason", "failure", "key", "provider_id", "created_at",
        "closed_at",
    ]  # fmt: skip
    readonly_fields = ["money"]

    @display(description=_("refund"))
    def provider_number(self, refund: Refund) -> str:
        return refund.provider_id or refund.attempt.reference

    @display(description=_("decided"), ordering="created_at")
    def decided(self, refund: Refund) -> str:
        return moment(refund.created_at)

    @display(description=_("amount"), ordering="amount")
    def money(self, refund: Refund) -> str:
        return format_money(Money(refund.amount, refund.currency))

    @display(description=_("status"), label=COLOURS)
    def state(self, refund: Refund) -> tuple[str, str]:
        return refund.status, str(refund.get_status_display())
