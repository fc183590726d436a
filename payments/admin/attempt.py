from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from payments.admin.readonly import MoneyAdmin, MoneyInline
from payments.models import Dispute, PaymentAttempt, PaymentTransaction, ProviderEvent, Refund
from shop.formatting import format_money
from shop.money import Money
from shop.templatetags.dates import moment

COLOURS = {
    PaymentAttempt.Status.CREATED.value: "default",
    PaymentAttempt.Status.STARTED.value: "default",
    PaymentAttempt.Status.PROCESSING.value: "info",
    PaymentAttempt.Status.CAPTURED.value: "success",
    PaymentAttempt.Status.FAILED.value: "danger",
    PaymentAttempt.Status.CANCELLED.value: "default",
    PaymentAttempt.Status.EXPIRED.value: "default",
    PaymentAttempt.Status.HELD.value: "warning",
}


class TransactionInline(MoneyInline):
    model = PaymentTransaction
    fields = ["kind", "money", "provider_id", "created_at"]
    readonly_fields = ["money"]

    @display(description=_("amount"))
    def money(self, row: PaymentTransaction) -> str:
        return format_money(Money(row.amount, row.currency))


class RefundInline(MoneyInline):
    model = Refund
    fields = ["money", "status", "reason", "failure", "provider_id", "created_at"]
    readonly_fields = ["money"]

    @display(description=_("amount"))
    def money(self, row: Refund) -> str:
        return format_money(Money(row.amount, row.currency))


class DisputeInline(MoneyInline):
    model = Dispute
    fields = ["money", "status", "reason", "due_by", "provider_id", "opened_at"]
    readonly_fields = ["money"]
    show_change_link = True

    @display(description=_("amount"))
    def money(self, row: Dispute) -> str:
        return format_money(row.money)


class EventInline(MoneyInline):
    model = ProviderEvent
    fields = ["type", "event_id", "received_at", "outcome"]
    show_change_link = True


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(MoneyAdmin):
    list_display = ["reference", "tried", "provider", "state", "money", "failure"]
    list_filter = [("status", ChoicesDropdownFilter), "provider"]
    search_fields = ["=reference", "=provider_session_id", "=provider_payment_id"]
    search_help_text = _("The whole reference, or the provider's number of the page or payment")
    inlines = [TransactionInline, RefundInline, DisputeInline, EventInline]
    fields = [
        "reference", "status", "money", "provider", "provider_session_id", "provider_payment_id",
        "failure", "created_at", "checked_at", "expires_at", "closed_at",
    ]  # fmt: skip
    readonly_fields = ["money"]

    @display(description=_("started"), ordering="created_at")
    def tried(self, attempt: PaymentAttempt) -> str:
        return moment(attempt.created_at)

    @display(description=_("amount"), ordering="amount")
    def money(self, attempt: PaymentAttempt) -> str:
        return format_money(attempt.money)

    @display(description=_("status"), label=COLOURS)
    def state(self, attempt: PaymentAttempt) -> tuple[str, str]:
        return attempt.status, str(attempt.get_status_display())
