from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from payments.admin.readonly import MoneyAdmin
from payments.models import ProviderEvent
from shop.templatetags.dates import moment


class WorkedOnFilter(DropdownFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waiting")), ("done", _("worked on"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("waiting", "done"):
            return queryset.filter(processed_at__isnull=self.value() == "waiting")
        return queryset


@admin.register(ProviderEvent)
class ProviderEventAdmin(MoneyAdmin):
    list_display = ["event_id", "received", "type", "state", "outcome"]
    list_filter = [WorkedOnFilter]
    search_fields = ["=event_id", "=attempt__reference", "=attempt__provider_payment_id"]
    search_help_text = _("The event's number, the payment's reference or the provider's number")
    fields = [
        "provider", "event_id", "type", "attempt", "received_at", "processed_at", "outcome", "told",
    ]  # fmt: skip
    readonly_fields = ["told"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("payload")

    @display(description=_("received"), ordering="received_at")
    def received(self, event: ProviderEvent) -> str:
        return moment(event.received_at)

    @display(description=_("state"), label={"waiting": "warning", "done": "success"})
    def state(self, event: ProviderEvent) -> tuple[str, Any]:
        return ("done", _("worked on")) if event.processed_at else ("waiting", _("waiting"))

    @display(description=_("what was told"))
    def told(self, event: ProviderEvent) -> SafeString:
        text = json.dumps(event.payload, indent=2, ensure_ascii=False, sort_keys=True)
        return format_html('<pre class="desk-code">{}</pre>', text)
