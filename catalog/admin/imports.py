"""Imports in the admin: give a file, see what would happen, do it, read what became of each row."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.admin.scoping import SellerScopedAdmin, get_seller_roles, list_sellers_where
from accounts.models import Seller
from accounts.roles import Right
from catalog.errors import ImportRefused
from catalog.imports.report import write_report
from catalog.models import ImportRun
from catalog.queries import imports as queries
from catalog.services import import_runs, importing
from catalog.services.import_runs import Choices
from shop.errors import ShopError
from shop.services.limits import Verdict
from shop.views.limited import ask, say_when

FORMATS = [
    ("shopify", "Shopify"),
    ("woocommerce", "WooCommerce"),
    ("emporium", gettext_lazy("This shop's own CSV")),
]
STATE_COLOURS = {
    ImportRun.State.RUNNING: "info",
    ImportRun.State.FINISHED: "success",
    ImportRun.State.STOPPED: "warning",
    ImportRun.State.FAILED: "danger",
}
LOOK_AGAIN = 3
"""Seconds until the page of an import that goes on is asked for anew."""


class UploadFileForm(forms.Form):
    """A file of products and what to do with it."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV as it was exported, plain or packed with gzip; up to 100 MB."),
        widget=UnfoldAdminFileFieldWidget(
            attrs={"accept": ".csv,.tsv,.txt,.gz,text/csv,application/gzip"}
        ),
    )
    format = forms.ChoiceField(
        label=gettext_lazy("Exported from"),
        choices=[(name, label) for name, label in FORMATS if name in importing.READERS],
        widget=UnfoldAdminSelectWidget,
    )
    seller = forms.ModelChoiceField(
        label=gettext_lazy("Seller"),
        queryset=Seller.objects.none(),
        empty_label=None,
        help_text=gettext_lazy("Whose products they become."),
        widget=UnfoldAdminSelectWidget,
    )
    fetches_pictures = forms.BooleanField(
        label=gettext_lazy("Fetch pictures"),
        required=False,
        initial=True,
        help_text=gettext_lazy("From the addresses in the file, after the products are in."),
        widget=UnfoldBooleanSwitchWidget,
    )
    recounts_stock = forms.BooleanField(
        label=gettext_lazy("Count stock anew"),
        required=False,
        help_text=gettext_lazy(
            "Sets shelves that were counted before to the file's numbers, too. Leave it off unless "
            "the file is newer than your last sale."
        ),
        widget=UnfoldBooleanSwitchWidget,
    )

    def __init__(self, *args: Any, sellers: QuerySet[Seller], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seller = self.fields["seller"]
        assert isinstance(seller, forms.ModelChoiceField)
        seller.queryset = sellers
        if not self.is_bound:
            seller.initial = sellers.first()

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > import_runs.LARGEST_UPLOAD:
            raise forms.ValidationError(
                _("The file is larger than 100 MB. Pack it with gzip, or split it.")
            )
        return file


@admin.register(ImportRun)
class ImportRunAdmin(SellerScopedAdmin):
    """Every import is tried first; then one button does what was shown."""

    look_right = Right.EDIT_PRODUCTS
    sellers_may_delete = False
    list_display = ["file_name", "seller", "kind", "current_state", "came_of_it", "created_at"]
    list_select_related = ["seller"]
    list_filter = ["state", "is_rehearsal"]
    search_fields = ["file_name"]
    ordering = ["-id"]
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Say whether the person may write products: nobody has rights on imports alone."""
        if get_seller_roles(request):
            return super().has_add_permission(request, *args)
        return all(request.user.has_perm(f"catalog.{right}_product") for right in ("add", "change"))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request) and self._is_theirs(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    # The list ------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("from"))
    def kind(self, run: ImportRun) -> str:
        return str(dict(FORMATS).get(run.format, run.format))

    @display(description=gettext_lazy("state"), label=STATE_COLOURS)
    def current_state(self, run: ImportRun) -> tuple[str, str]:
        state = str(run.get_state_display())
        return run.state, f"{_('dry run')}: {state}" if run.is_rehearsal else state

    @admin.display(description=gettext_lazy("products"))
    def came_of_it(self, run: ImportRun) -> str:
        if run.total is None:
            return "–"
        return _("%(done)d of %(total)d, %(refused)d left out") % {
            "done": run.done_products,
            "total": run.total,
            "refused": run.refused,
        }

    # A new one -----------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Take a file in; not in the transaction that Django's own view would open."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = UploadFileForm(
            request.POST if is_sent else None,
            request.FILES if is_sent else None,
            sellers=_list_sellers(request),
        )
        verdict = Verdict(is_allowed=True)
        if form.is_valid():
            verdict = ask(request, "upload", person=str(request.user.pk))
        if not verdict.is_allowed:
            form.add_error("file", say_when(verdict))
        elif form.is_valid():
            try:
                run = self._upload(request, form.cleaned_data)
            except ImportRefused as refusal:
                form.add_error("file", str(refusal))
            else:
                return redirect(_page_of(run))
        faults = [(name, text) for name, texts in form.errors.items() for text in texts]
        context = {"form": form, "faults": faults, "title": _("Import products")}
        return self._answer(request, "admin/catalog/import_new.html", context)

    def _upload(self, request: HttpRequest, cleaned: dict[str, Any]) -> ImportRun:
        actor: Any = request.user
        file = cleaned["file"]
        choices = Choices(
            format=cleaned["format"],
            recounts_stock=cleaned["recounts_stock"],
            fetches_pictures=cleaned["fetches_pictures"],
        )
        run = import_runs.describe(
            file,
            file.name,
            seller=cleaned["seller"],
            choices=choices,
            is_rehearsal=True,
            actor=actor,
        )
        return import_runs.upload(file, run)

    # One import ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        views = {
            "begin": require_POST(self.begin_view),
            "stop": require_POST(self.stop_view),
            "go-on": require_POST(self.go_on_view),
            "report": require_safe(self.report_view),
        }
        return [
            path(
                f"<int:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"catalog_importrun_{name.replace('-', '_')}",
            )
            for name, view in views.items()
        ] + super().get_urls()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return require_safe(self.page_view)(request, object_id)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect(_page_of(self._get_run(request, object_id)))

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = self._get_run(request, object_id)
        page = queries.get_page(run)
        context = {
            "page": page,
            "run": run,
            "kind": self.kind(run),
            "title": run.file_name,
            "list_url": reverse("admin:catalog_importrun_changelist"),
            "add_url": reverse("admin:catalog_importrun_add"),
        }
        response = self._answer(request, "admin/catalog/import_run.html", context)
        if page.is_going_on:
            response["Refresh"] = str(LOOK_AGAIN)
        return response

    def begin_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Do what the dry run has shown."""
        run = self._get_run(request, object_id)
        actor: Any = request.user
        try:
            run = import_runs.do_for_real(run, actor=actor)
        except ShopError as refusal:
            messages.error(request, str(refusal))
        return redirect(_page_of(run))

    def stop_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run = self._get_run(request, object_id)
        if import_runs.stop(run):
            messages.success(request, _("Stopped. What is in stays; you can let it go on later."))
        return redirect(_page_of(run))

    def go_on_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run = self._get_run(request, object_id)
        try:
            import_runs.go_on(run)
        except ShopError as refusal:
            messages.error(request, str(refusal))
        return redirect(_page_of(run))

    def report_view(self, request: HttpRequest, object_id: int) -> StreamingHttpResponse:
        """Give all findings as a CSV that spreadsheets open."""
        run = self._get_run(request, object_id)
        response = StreamingHttpResponse(
            write_report(queries.list_findings(run)), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="import-{run.pk}.csv"'
        return response

    def _get_run(self, request: HttpRequest, object_id: str | int) -> ImportRun:
        try:
            run = self.get_queryset(request).select_related("seller", "actor").get(pk=object_id)
        except (ImportRun.DoesNotExist, ValueError) as error:
            raise Http404 from error
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        assert isinstance(run, ImportRun)
        return run

    def _answer(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name
        frame = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, template, frame | context)


def _list_sellers(request: HttpRequest) -> QuerySet[Seller]:
    sellers = Seller.objects.order_by("pk")
    if not get_seller_roles(request):
        return sellers
    return sellers.filter(pk__in=list_sellers_where(request, Right.EDIT_PRODUCTS))


def _page_of(run: ImportRun) -> str:
    return reverse("admin:catalog_importrun_change", args=[run.pk])
