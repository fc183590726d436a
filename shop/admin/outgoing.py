"""What the shop has to tell others: seen here, never changed; what is stuck can be tried again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from shop.admin.look_only import LookOnly
from shop.models import Mail, OutboxMessage
from shop.services import mailer, relay


class StateFilter(admin.SimpleListFilter):
    """Filters rows by where they stand; `conditions` maps a state to its name and its rows."""

    title = gettext_lazy("state")
    parameter_name = "state"
    conditions: dict[str, tuple[Any, Q]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state, name) for state, (name, _rows) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state = self.value()
        if state and state in self.conditions:
            return queryset.filter(self.conditions[state][1])
        return queryset


class MailState(StateFilter):
    conditions = {
        "waiting": (gettext_lazy("not sent yet"), Q(sent_at=None, error="")),
        "failing": (gettext_lazy("failing"), Q(sent_at=None) & ~Q(error="")),
        "sent": (gettext_lazy("sent"), Q(sent_at__isnull=False)),
    }


class OutboxState(StateFilter):
    conditions = {
        "waiting": (gettext_lazy("waiting"), Q(done_at=None, dead_at=None, attempts=0)),
        "failing": (gettext_lazy("failing"), Q(done_at=None, dead_at=None, attempts__gt=0)),
        "dead": (gettext_lazy("given up"), Q(dead_at__isnull=False)),
        "done": (gettext_lazy("done"), Q(done_at__isnull=False)),
    }


class ReadOnlyAdmin(LookOnly, ModelAdmin):
    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Trying again changes rows, so it takes the right to change them."""
        codename = f"{self.opts.app_label}.change_{self.opts.model_name}"
        return request.user.has_perm(codename)

    def retry(
        self, request: HttpRequest, rows: QuerySet[Any], again: Callable[[int], bool]
    ) -> None:
        count = sum(again(pk) for pk in rows.values_list("pk", flat=True))
        if count:
            text = ngettext("%(count)d is back in line.", "%(count)d are back in line.", count) % {
                "count": count
            }
            self.message_user(request, text, messages.SUCCESS)
        else:
            text = _("Nothing to do: only what has failed is tried again.")
            self.message_user(request, text, messages.INFO)


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ["subject", "recipient", "kind", "created_at", "state"]
    list_filter = [MailState, "kind"]
    search_fields = ["recipient", "subject", "reference"]
    fields = [
        "subject", "recipient", "kind", "reference", "language", "created_at", "sent_at", "error",
        "text",
    ]  # fmt: skip
    actions = ["try_again"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Hide what would let the reader into somebody else's account."""
        is_secret = obj is not None and obj.opens_an_account
        return [name for name in self.fields if not (name == "text" and is_secret)]

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Keep the words out of filters: a secret link could be guessed at letter by letter."""
        is_about_words = lookup.split("__")[0] in ("text", "html")
        return not is_about_words and super().lookup_allowed(lookup, value, request)

    @display(
        description=gettext_lazy("state"),
        label={"sent": "success", "failing": "danger", "waiting": "info"},
    )
    def state(self, mail: Mail) -> tuple[str, str]:
        if mail.sent_at:
            return "sent", _("sent")
        return ("failing", _("failing")) if mail.error else ("waiting", _("waiting"))

    @action(description=gettext_lazy("Try again"), permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        self.retry(request, queryset, mailer.try_again)


@admin.register(OutboxMessage)
class OutboxAdmin(ReadOnlyAdmin):
    list_display = ["key", "task", "created_at", "attempts", "state"]
    list_filter = [OutboxState, "task"]
    search_fields = ["key", "error"]
    actions = ["try_again"]

    @display(
        description=gettext_lazy("state"),
        label={"done": "success", "dead": "danger", "failing": "warning", "waiting": "info"},
    )
    def state(self, message: OutboxMessage) -> tuple[str, str]:
        if message.done_at:
            return "done", _("done")
        if message.dead_at:
            return "dead", _("given up")
        return ("failing", _("failing")) if message.attempts else ("waiting", _("waiting"))

    @action(description=gettext_lazy("Try again"), permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        self.retry(request, queryset, relay.revive)
