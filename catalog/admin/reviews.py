"""Reviews: staff read them and decide, the seller answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.admin.scoping import SellerScopedAdmin, get_seller_roles
from accounts.roles import Right
from catalog.errors import ReviewChanged
from catalog.models import Review
from catalog.queries.links import review_url
from catalog.queries.reviews import find_photos
from catalog.services import reviews

Status = Review.Status
REASON = gettext_lazy("The author gets it in a mail: one sentence that a person can live with.")


class ReviewDecisionForm(forms.ModelForm):
    """What becomes of a review: for everybody to read or not, and what the seller says to it."""

    decision = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[
            ("", gettext_lazy("Leave it as it is")),
            ("publish", gettext_lazy("Publish it")),
            ("refuse", gettext_lazy("Do not show it")),
        ],
        required=False,
        widget=UnfoldAdminRadioSelectWidget,
    )
    reason = forms.CharField(
        label=gettext_lazy("Why it is not shown"),
        max_length=300,
        required=False,
        help_text=REASON,
        widget=UnfoldAdminTextInputWidget,
    )
    answer = forms.CharField(
        label=gettext_lazy("The seller's answer"),
        max_length=2000,
        required=False,
        help_text=gettext_lazy("Stands below the review for everybody to read. Empty: none."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
    )
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Review
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "answer" in self.fields:
            self.fields["answer"].initial = self.instance.answer
            # What is compared is what the page showed: another's answer given since then stays.
            self.fields["answer"].show_hidden_initial = True
        if "revision" in self.fields:
            self.fields["revision"].initial = self.instance.revision

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("decision") == "refuse" and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("Say why: the author reads it."))
        if cleaned.get("decision") and cleaned.get("revision") != self.instance.revision:
            self._show_again()
        return cleaned

    def _show_again(self) -> None:
        """Decide nothing over words that the author wrote after the page was made."""
        typed: Any = self.data
        again = typed.copy()
        again[self.add_prefix("revision")] = str(self.instance.revision)
        self.data = again
        self.add_error(
            "decision",
            _(
                "Somebody else changed some of these meanwhile. Nothing was saved; please look again."
            ),
        )


class RefusalForm(forms.Form):
    """Why several reviews at once are not shown."""

    use_required_attribute = False

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=REASON,
        error_messages={"required": gettext_lazy("Say why: the authors read it.")},
        widget=UnfoldAdminTextInputWidget,
    )


def _may_see_addresses(request: HttpRequest) -> bool:
    """Say whether somebody has to do with people, and not with the catalogue alone."""
    return not get_seller_roles(request) and request.user.has_perm("accounts.view_user")


NEVER_READ = 0
"""No revision has this number: what is not on the page that asks is not decided on."""


def _list_read(request: HttpRequest) -> dict[int, int]:
    """Return the revision of each review that the page which asks has shown."""
    read = {}
    for word in request.POST.getlist("read"):
        review_id, _colon, revision = word.partition(":")
        if review_id.isdecimal() and revision.isdecimal():
            read[int(review_id)] = int(revision)
    return read


@admin.register(Review)
class ReviewAdmin(SellerScopedAdmin, ModelAdmin):
    """The queue: what waits comes first, the oldest at the top."""

    seller_path = "product__seller"
    change_right = Right.ANSWER_REVIEWS
    sellers_may_add = sellers_may_delete = False
    form = ReviewDecisionForm
    list_display = ["opening", "product", "given", "name", "is_verified", "created_at", "state"]
    list_filter = ["status", "stars", "is_verified"]
    list_select_related = ["product__seller"]
    search_fields = ["title", "text", "name", "email", "product__title"]
    ordering = ["status", "id"]
    actions = ["publish_chosen", "refuse_chosen"]
    readonly_fields = [
        "product", "given", "wording", "pictures", "author_words", "author_name", "standing",
    ]  # fmt: skip
    fieldsets = [
        (None, {"fields": ["product", "given", "wording", "pictures", "author_words", "standing"]}),
        (gettext_lazy("Moderation"), {"fields": ["decision", "reason", "revision"]}),
        (gettext_lazy("Answer"), {"fields": ["answer"]}),
    ]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def may_decide(self, request: HttpRequest) -> bool:
        """Sellers answer; whether what is said of them is shown is not theirs to decide."""
        return not get_seller_roles(request) and self.has_change_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.filter(status=Status.PUBLISHED) if get_seller_roles(request) else rows

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        review, moderation, answer = self.fieldsets
        if not _may_see_addresses(request):
            # The address of somebody who perhaps never bought from them is not the seller's matter.
            names = [
                "author_name" if name == "author_words" else name for name in review[1]["fields"]
            ]
            review = (None, {"fields": names})
        return [review, *([moderation] if self.may_decide(request) else []), answer]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [
            name for name in self.search_fields if name != "email" or _may_see_addresses(request)
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if not self.may_decide(request):
            actions.pop("publish_chosen", None)
            actions.pop("refuse_chosen", None)
        return actions

    def view_on_site(self, review: Review) -> str | None:
        if review.status != Status.PUBLISHED:
            return None
        return review_url(review.product.slug, review.pk)

    def save_model(self, request: HttpRequest, obj: Review, form: Any, change: bool) -> None:
        """Let the services do what was chosen; the row itself is never saved from here."""
        actor: Any = request.user
        decision = form.cleaned_data.get("decision") if self.may_decide(request) else ""
        if decision == "publish":
            reviews.publish(obj.pk, by=actor)
        elif decision == "refuse":
            reviews.refuse(obj.pk, reason=form.cleaned_data["reason"], by=actor)
        if "answer" in form.changed_data:
            reviews.answer(obj.pk, text=form.cleaned_data["answer"])

    def delete_model(self, request: HttpRequest, obj: Review) -> None:
        reviews.delete(obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            for review_id in queryset.order_by("pk").values_list("pk", flat=True):
                reviews.delete(review_id)

    @admin.action(description=gettext_lazy("Publish the chosen reviews…"))
    def publish_chosen(
        self, request: HttpRequest, queryset: QuerySet[Review]
    ) -> HttpResponse | None:
        """Show the whole words once, then publish what was read."""
        if not (read := _list_read(request)):
            return self._ask_about(queryset, request, action="publish_chosen")
        actor: Any = request.user
        count = self._decide(
            request,
            queryset,
            lambda review_id: reviews.publish(
                review_id, by=actor, revision=read.get(review_id, NEVER_READ)
            ),
        )
        words = ngettext("%d review is published.", "%d reviews are published.", count) % count
        self.message_user(request, words, messages.SUCCESS)
        return None

    @admin.action(description=gettext_lazy("Do not show the chosen reviews…"))
    def refuse_chosen(
        self, request: HttpRequest, queryset: QuerySet[Review]
    ) -> HttpResponse | None:
        """Ask once why, then refuse what was read with this reason."""
        read = _list_read(request)
        form = RefusalForm(request.POST if read else None)
        if not form.is_valid():
            return self._ask_about(queryset, request, action="refuse_chosen", form=form)
        actor: Any = request.user
        reason = form.cleaned_data["reason"]
        count = self._decide(
            request,
            queryset,
            lambda review_id: reviews.refuse(
                review_id, reason=reason, by=actor, revision=read.get(review_id, NEVER_READ)
            ),
        )
        words = ngettext("%d review is not shown.", "%d reviews are not shown.", count) % count
        self.message_user(request, words, messages.SUCCESS)
        return None

    def _ask_about(
        self,
        queryset: QuerySet[Review],
        request: HttpRequest,
        *,
        action: str,
        form: forms.Form | None = None,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Do not show") if form else _("Publish"),
            "action": action,
            "form": form,
            "reviews": queryset.order_by("pk"),
            "page_url": request.get_full_path(),
            "opts": self.opts,
        }
        return render(request, "admin/catalog/decide_reviews.html", context)

    def _decide(
        self, request: HttpRequest, queryset: QuerySet[Review], decide: Callable[[int], bool]
    ) -> int:
        """Decide on all at once, except on those that were changed; return on how many."""
        count = changed = 0
        with transaction.atomic():
            for review_id in queryset.order_by("product_id", "pk").values_list("pk", flat=True):
                try:
                    count += decide(review_id)
                except ReviewChanged:
                    changed += 1
        if changed:
            words = ngettext(
                "%d review was changed by its author meanwhile: nothing was decided on it.",
                "%d reviews were changed by their authors meanwhile: nothing was decided on them.",
                changed,
            )
            self.message_user(request, words % changed, messages.WARNING)
        return count

    @admin.display(description=gettext_lazy("review"), ordering="id")
    def opening(self, review: Review) -> str:
        words = review.title or review.text
        return words if len(words) <= 70 else f"{words[:69]}…"

    @admin.display(description=gettext_lazy("stars"), ordering="stars")
    def given(self, review: Review) -> str:
        return "★" * review.stars + "☆" * (5 - review.stars)

    @admin.display(description=gettext_lazy("review"))
    def wording(self, review: Review) -> SafeString:
        lines = format_html_join("", "{}<br>", ((line,) for line in review.text.splitlines()))
        return format_html("<strong>{}</strong><br>{}", review.title, lines)

    @admin.display(description=gettext_lazy("photographs"))
    def pictures(self, review: Review) -> SafeString | str:
        photos = find_photos([photo.asset_id for photo in review.photos.all()])
        return format_html_join(
            " ",
            '<a href="{}"><img class="desk-photo" src="{}" alt="{}" width="120"></a>',
            ((each.largest, each.small or each.src, each.alt) for each in photos.values()),
        ) or _("none")

    @admin.display(description=gettext_lazy("author"))
    def author_words(self, review: Review) -> str:
        bought = _("bought it here") if review.is_verified else _("did not buy it here")
        return f"{review.name} ({review.email}), {bought}"

    @admin.display(description=gettext_lazy("author"))
    def author_name(self, review: Review) -> str:
        bought = _("bought it here") if review.is_verified else _("did not buy it here")
        return f"{review.name}, {bought}"

    @admin.display(description=gettext_lazy("status"))
    def standing(self, review: Review) -> str:
        return ": ".join(filter(None, (review.get_status_display(), review.refusal)))

    @display(
        description=gettext_lazy("status"),
        ordering="status",
        label={"published": "success", "pending": "warning", "refused": "danger"},
    )
    def state(self, review: Review) -> tuple[str, str]:
        return review.status, review.get_status_display()
