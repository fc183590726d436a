from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from payments.admin.readonly import MoneyAdmin
from payments.models import Dispute
from payments.services import disputes
from shop.errors import ShopError
from shop.formatting import format_money
from shop.templatetags.dates import moment

COLOURS = {
    Dispute.Status.INQUIRY.value: "warning",
    Dispute.Status.NEEDS_RESPONSE.value: "danger",
    Dispute.Status.UNDER_REVIEW.value: "info",
    Dispute.Status.WON.value: "success",
    Dispute.Status.LOST.value: "danger",
    Dispute.Status.CLOSED.value: "default",
}


@admin.register(Dispute)
class DisputeAdmin(MoneyAdmin):
    """What a bank disputes. It is answered at the provider; here staff see that it waits."""

    list_display = ["number", "opened", "money", "reason", "state", "answer_by", "attempt"]
    list_filter = [("status", ChoicesDropdownFilter), "provider"]
    list_select_related = ["attempt"]
    search_fields = ["=provider_id", "=attempt__reference", "=attempt__provider_payment_id"]
    search_help_text = gettext_lazy(
        "The provider's number of the dispute or payment, or the payment's reference"
    )
    fields = [
        "attempt", "status", "money", "reason", "provider", "provider_id", "due_by", "opened_at",
        "closed_at",
    ]  # fmt: skip
    readonly_fields = ["money"]
    actions = ["ask_again"]

    def has_ask_permission(self, request: HttpRequest) -> bool:
        """What the provider says changes rows, so asking takes the right to change them."""
        may_ask = request.user.has_perm("payments.change_dispute")
        return may_ask and self.has_view_permission(request)

    @action(description=gettext_lazy("Ask the provider again"), permissions=["ask"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> None:
        for dispute in queryset:
            try:
                disputes.check(dispute.pk)
            except ShopError as error:
                self.message_user(request, f"{dispute}: {error}", messages.ERROR)
            else:
                dispute.refresh_from_db()
                text = _("%(number)s: %(status)s") % {
                    "number": dispute.provider_id,
                    "status": dispute.get_status_display(),
                }
                self.message_user(request, text, messages.SUCCESS)

    @display(description=gettext_lazy("number"), ordering="provider_id")
    def number(self, dispute: Dispute) -> str:
        return dispute.provider_id

    @display(description=gettext_lazy("opened"), ordering="opened_at")
    def opened(self, dispute: Dispute) -> str:
        return moment(dispute.opened_at)

    @display(description=gettext_lazy("answer until"), ordering="due_by")
    def answer_by(self, dispute: Dispute) -> str:
        return moment(dispute.due_by) if dispute.due_by and dispute.is_open else "–"

    @display(description=gettext_lazy("amount"), ordering="amount")
    def money(self, dispute: Dispute) -> str:
        return format_money(dispute.money)

    @display(description=gettext_lazy("status"), label=COLOURS)
    def state(self, dispute: Dispute) -> tuple[str, str]:
        return dispute.status, str(dispute.get_status_display())
