"""Orders for the shop's staff: the list of what is to be done, and one page about each."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, OuterRef, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from accounts.admin.scoping import get_seller_roles
from accounts.requests import needs_recent_proof
from orders.admin import offline as offline_pages
from orders.admin import todo
from orders.admin.actor import get_actor
from orders.admin.filters import DayRangeFilter, SellerFilter, StageFilter, WorkFilter
from orders.admin.forms import CancelForm, CaptureForm, RefundForm
from orders.admin.order_page import get_order_page
from orders.admin.parts import list_parts
from orders.admin.search import orders_like
from orders.admin.seller_order import SellerOrderAdmin
from orders.admin.story import get_story
from orders.models import Order, OrderAddress, OrderLine, OrderPayment, SellerOrder
from orders.services import cancellation, capturing, notices, payment, refunding
from payments import methods
from payments.models import Refund
from shop.errors import ShopError
from shop.formatting import format_money
from shop.money import Money
from shop.templatetags.dates import moment


@admin.register(Order)
class OrderAdmin(ModelAdmin):
    """Statuses are never typed here: each button asks a service, which may refuse."""

    list_display = ["number", "ordered", "customer", "stage", "what_to_do", "amount"]
    list_filter = [
        WorkFilter,
        StageFilter,
        ("status", ChoicesDropdownFilter),
        ("payment_status", ChoicesDropdownFilter),
        ("fulfilment_status", ChoicesDropdownFilter),
        SellerFilter,
        ("created_at", DayRangeFilter),
    ]
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    list_before_template = "admin/orders/_work_tabs.html"
    search_fields = ["number"]
    search_help_text = gettext_lazy("Number, email, name, SKU or tracking number")
    # Counting a hundred thousand rows to number the pages would cost more than the page itself.
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        pieces = OrderLine.objects.filter(
            seller_order=OuterRef("pk"), quantity__gt=F("refunded_quantity")
        )
        parts = SellerOrder.objects.select_related("seller").order_by("pk")
        parts = parts.annotate(has_pieces=Exists(pieces))
        payments = OrderPayment.objects.select_related("attempt").prefetch_related(
            Prefetch("attempt__refunds", Refund.objects.order_by("pk")),
            *("attempt__disputes", "attempt__captures"),
        )
        return (
            super()
            .get_queryset(request)
            .prefetch_related(
                "addresses", Prefetch("seller_orders", parts), Prefetch("payments", payments)
            )
        )

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [
            todo.work_first(todo.lapsing_orders()),
            todo.work_first(todo.TO_SHIP | todo.TO_TAKE),
            "-pk",
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        return (queryset.filter(orders_like(search_term)) if search_term else queryset), False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not get_seller_roles(request) and super().has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not get_seller_roles(request) and super().has_change_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_refund_permission(self, request: HttpRequest) -> bool:
        """Say whether the person may take an order's money, give it back, or cancel the order."""
        may_refund = request.user.has_perm("orders.refund_order")
        return may_refund and self.has_change_permission(request)

    # The list ------------------------------------------------------------------------------------

    @display(description=gettext_lazy("ordered"), ordering="created_at")
    def ordered(self, order: Order) -> str:
        return moment(order.created_at)

    @display(description=gettext_lazy("customer"))
    def customer(self, order: Order) -> str:
        shipping = OrderAddress.Kind.SHIPPING
        names = (row.name for row in order.addresses.all() if row.kind == shipping)
        return next(names, order.email)

    @display(description=gettext_lazy("stage"), label=todo.STAGE_COLOURS)
    def stage(self, order: Order) -> tuple[str, str]:
        return order.stage.value, str(order.stage.label)

    @display(description=gettext_lazy("total"), ordering="total")
    def amount(self, order: Order) -> str:
        return format_money(order.total_money)

    @display(
        description=gettext_lazy("to do"),
        label={"warning": "warning", "danger": "danger", "info": "info", "default": "default"},
    )
    def what_to_do(self, order: Order) -> tuple[str, str] | None:
        attempts = [row.attempt for row in order.payments.all()]
        task = todo.describe(
            order,
            # `has_pieces` is annotated by the list's prefetch, which the types do not know.
            waiting_sellers=[
                part.seller.name
                for part in order.seller_orders.all()
                if part.fulfilment_status in todo.UNSHIPPED and part.has_pieces  # type: ignore[attr-defined]
            ],
            attempts=attempts,
            refunds=[refund for attempt in attempts for refund in attempt.refunds.all()],
            disputes=[dispute for attempt in attempts for dispute in attempt.disputes.all()],
        )
        return (task.colour, task.text) if task else None

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request,
            {"title": _("Orders"), "work_tabs": _work_tabs(request)} | (extra_context or {}),
        )

    # One order -----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        views = {
            "cancel": needs_recent_proof(self.cancel_view),
            "capture": needs_recent_proof(self.capture_view),
            "check": require_POST(self.check_view),
            "confirm-again": require_POST(self.confirm_again_view),
            "refund": needs_recent_proof(self.refund_view),
            "send-back": require_POST(needs_recent_proof(self.send_back_view)),
            "story": require_safe(self.story_view),
        }
        return [
            path(
                f"<int:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"orders_order_{name.replace('-', '_')}",
            )
            for name, view in views.items()
        ] + [*offline_pages.list_urls(self), *super().get_urls()]

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
        """Lead to the timeline, which tells more than the admin's own log."""
        order = self._get_order(request, object_id)
        return redirect(f"{_page_of(order)}#timeline")

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self._get_order(request, object_id)
        context = self._context(request, order) | {
            "page": get_order_page(order),
            "may_change": self.has_change_permission(request, order),
            "may_refund": self.has_refund_permission(request),
            "may_ship": _may_ship(self, request),
            "may_book": offline_pages.may_book(request),
            "mail_is_linked": request.user.has_perm("shop.view_mail"),
            "person_is_linked": request.user.has_perm("accounts.view_user"),
        }
        return TemplateResponse(request, "admin/orders/order.html", context)

    def story_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Explain an order from every row that is about it."""
        order = self._get_order(request, object_id)
        with_payloads = request.user.has_perm("payments.view_providerevent")
        context = self._context(request, order) | {
            "order": order,
            "story": get_story(order, with_payloads=with_payloads),
            "page_url": _page_of(order),
        }
        return TemplateResponse(request, "admin/orders/story.html", context)

    def cancel_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        order = self._get_order_to_refund(request, object_id)
        if not cancellation.is_cancellable(order):
            messages.warning(request, _("This order cannot be cancelled any more."))
            return redirect(_page_of(order))
        form = CancelForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                cancellation.cancel(order, by=get_actor(request), **form.cleaned_data)
            except ShopError as error:
                messages.error(request, str(error))
            else:
                messages.success(
                    request, _("Order %s is cancelled; the shopper gets a mail.") % order.number
                )
            return redirect(_page_of(order))
        context = self._context(request, order) | {
            "form": form,
            "order": order,
            "owed": refunding.get_owed(order),
            "is_uncharged": order.is_uncharged,
            "page_url": _page_of(order),
        }
        return TemplateResponse(request, "admin/orders/cancel.html", context)

    def refund_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Work out what some pieces are worth, show it, then give them back."""
        order = self._get_order_to_refund(request, object_id)
        lines = [
            line for part in list_parts(order, order.seller_orders.all()) for line in part.lines
        ]
        form = RefundForm(
            request.POST if request.method == "POST" else None,
            lines=lines,
            shipping=refunding.get_shipping_left(order),
            initial={"submit_key": uuid4()},
        )
        plan = None
        if form.is_valid():
            if form.is_final:
                answer = self._refund(request, order, form)
                if answer is not None:
                    return answer
            try:
                plan = refunding.make_plan(
                    order, form.quantities, with_shipping=form.cleaned_data["with_shipping"]
                )
            except ShopError as error:
                form.refuse(str(error))
        elif request.method != "POST" and not refunding.get_owed(order):
            messages.warning(request, _("There is nothing to refund here now."))
            return redirect(_page_of(order))
        context = self._context(request, order) | {
            "form": form,
            "order": order,
            "plan": plan,
            "plan_rows": _list_rows(plan) if plan else [],
            "owed": refunding.get_owed(order),
            "is_uncharged": order.is_uncharged,
            "page_url": _page_of(order),
        }
        return TemplateResponse(request, "admin/orders/refund.html", context)

    def _refund(self, request: HttpRequest, order: Order, form: RefundForm) -> HttpResponse | None:
        """Give the pieces back; None when it was refused and the form is to be shown again."""
        given = form.cleaned_data
        try:
            order_refund = refunding.refund(
                order,
                by=get_actor(request),
                lines=form.quantities,
                with_shipping=given["with_shipping"],
                restock=given["restock"],
                reason=given["reason"],
                submit_key=str(given["submit_key"]),
                seen_amount=Money(given["seen_amount"], order.currency),
            )
        except ShopError as error:
            form.refuse(str(error))
            return None
        text = _("%(amount)s of order %(number)s goes back; the shopper gets a mail.")
        if order_refund.is_uncharged:
            text = _("%(amount)s less will be taken for order %(number)s; the shopper gets a mail.")
        messages.success(
            request,
            text % {"amount": format_money(order_refund.money), "number": order.number},
        )
        return redirect(_page_of(order))

    def check_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Ask the provider how the order's payments really stand."""
        order = self._get_order_to_change(request, object_id)
        try:
            payment.check(order, ended_too=True)
        except ShopError as error:
            messages.error(request, _("The payment provider could not be asked: %s") % error)
        else:
            order.refresh_from_db()
            messages.success(
                request,
                _("The provider was asked. The payment is: %s.")
                % order.get_payment_status_display(),
            )
        return redirect(_page_of(order))

    def capture_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show how much of the money that is set aside would be taken, then take it."""
        order = self._get_order_to_refund(request, object_id)
        owed = refunding.get_owed(order)
        form = CaptureForm(
            request.POST if request.method == "POST" else None, initial={"seen_amount": owed.amount}
        )
        if form.is_valid():
            seen = Money(form.cleaned_data["seen_amount"], order.currency)
            try:
                taken = capturing.take_money(order, by=get_actor(request), seen_amount=seen)
            except ShopError as error:
                messages.error(request, str(error))
            else:
                text = _("%(amount)s is being taken for order %(number)s; the shopper gets a mail.")
                facts = {"amount": format_money(taken), "number": order.number}
                messages.success(request, text % facts)
            return redirect(_page_of(order))
        page = get_order_page(order)
        if not (page.is_uncharged and page.can_capture):
            messages.warning(request, _("There is no money to take here now."))
            return redirect(_page_of(order))
        context = self._context(request, order) | {
            "form": form,
            "order": order,
            "owed": owed,
            "page_url": _page_of(order),
        }
        return TemplateResponse(request, "admin/orders/capture.html", context)

    def confirm_again_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        order = self._get_order_to_change(request, object_id)
        try:
            is_new = notices.send_confirmation_again(order, by=get_actor(request))
        except ShopError as error:
            messages.error(request, str(error))
        else:
            if is_new:
                messages.success(request, _("The confirmation goes to %s once more.") % order.email)
            else:
                messages.info(request, _("It was sent again a moment ago; once is enough."))
        return redirect(_page_of(order))

    def send_back_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Refund money that was held, or whose refund failed."""
        order = self._get_order_to_refund(request, object_id)
        try:
            has_gone = cancellation.send_money_back(order, by=get_actor(request))
        except ShopError as error:
            messages.error(request, str(error))
        else:
            if has_gone:
                messages.success(request, _("The money is on its way back."))
            else:
                messages.info(request, _("There is no money to send back."))
        return redirect(_page_of(order))

    def _get_order(self, request: HttpRequest, object_id: str | int) -> Order:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return Order.objects.select_related("user").get(pk=object_id)
        except (Order.DoesNotExist, ValueError) as error:
            raise Http404 from error

    def _get_order_to_change(self, request: HttpRequest, object_id: int) -> Order:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return self._get_order(request, object_id)

    def _get_order_to_refund(self, request: HttpRequest, object_id: int) -> Order:
        if not self.has_refund_permission(request):
            raise PermissionDenied
        return self._get_order(request, object_id)

    def _context(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        return {
            **self.admin_site.each_context(request),
            "title": _("Order %s") % order.number,
            "opts": self.opts,
            "original": order,
        }


def _list_rows(plan: refunding.Plan) -> list[tuple[str, Money]]:
    """Say what a refund is made of."""
    rows = [(f"{each.quantity} × {each.line.title}", each.amount) for each in plan.lines]
    if plan.shipping_amount:
        rows.append((_("Delivery"), plan.shipping_amount))
    if plan.other_amount:
        before = _("Discount, or given back before without pieces")
        rows.append((before, plan.other_amount))
    return [(label, Money(amount, plan.currency)) for label, amount in rows]


def _may_ship(order_admin: OrderAdmin, request: HttpRequest) -> bool:
    parts = order_admin.admin_site.get_model_admin(SellerOrder)
    assert isinstance(parts, SellerOrderAdmin)
    return parts.has_ship_permission(request)


def _page_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def _authorised_tab() -> list[tuple[str, str, Any]]:
    """Offer the orders whose money is to be taken, where there are any or may be some soon."""
    is_used = settings.PAYMENT_CAPTURE == methods.LATER
    if is_used or Order.objects.filter(todo.TO_TAKE).exists():
        return [("take", _("Money to take"), todo.TO_TAKE)]
    return []


def _work_tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """List the few views of the list that staff need every day, with what waits in each."""
    chosen = request.GET.get("work", "")
    tabs = [
        ("", _("All"), None),
        ("ship", _("To ship"), todo.TO_SHIP),
        *_authorised_tab(),
        ("held", _("Payment held"), todo.held_orders()),
        ("money", _("Waiting for money"), todo.WAITING_FOR_MONEY),
        ("transfer", _("Waiting for a transfer"), todo.WAITING_FOR_TRANSFER),
        ("deliver", _("On the way"), todo.ON_THE_WAY),
    ]
    return [
        {
            "label": label,
            "query": f"?work={work}" if work else "?",
            "is_chosen": work == chosen,
            "count": None if rows is None else Order.objects.filter(rows).count(),
        }
        for work, label, rows in tabs
    ]
