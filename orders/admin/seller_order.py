"""Orders to pack: each seller's people see their own part and nothing else of an order."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from accounts.admin.scoping import (
    SellerScopedAdmin,
    get_seller_roles,
    lacks_somewhere,
    list_sellers_where,
)
from accounts.roles import Right, has_right
from orders.admin import todo
from orders.admin.actor import get_actor
from orders.admin.filters import DayRangeFilter, PartWorkFilter
from orders.admin.forms import ShipForm
from orders.admin.order_page import view_address
from orders.admin.parts import FULFILMENT_COLOURS, PartView, list_parts
from orders.admin.search import parts_like
from orders.carriers import CARRIERS
from orders.errors import ParcelSentMeanwhile
from orders.models import Order, OrderAddress, SellerOrder, Shipment
from orders.services import fulfilment
from shop.errors import ShopError
from shop.formatting import format_money
from shop.money import Money
from shop.templatetags.dates import moment

NAMED_LINES = 3


@admin.register(SellerOrder)
class SellerOrderAdmin(SellerScopedAdmin):
    """Parts appear once they were paid; packers ship, though they may change nothing else."""

    seller_path = "seller"
    look_right = Right.SHIP
    sellers_may_add = sellers_may_change = sellers_may_delete = False
    list_display = ["number", "paid", "customer", "pieces", "state", "amount"]
    list_filter = [
        PartWorkFilter,
        ("fulfilment_status", ChoicesDropdownFilter),
        ("seller", RelatedDropdownFilter),
        ("order__paid_at", DayRangeFilter),
    ]
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    search_fields = ["order__number"]
    search_help_text = gettext_lazy("Number, name, SKU or tracking number")
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).filter(order__paid_at__isnull=False)
        return rows.select_related("order", "seller").prefetch_related("lines", "order__addresses")

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [todo.work_first(todo.PARTS_TO_SHIP), "-pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (queryset.filter(parts_like(search_term)) if search_term else queryset), False

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        filters = list(super().get_list_filter(request))
        if get_seller_roles(request):
            filters = [entry for entry in filters if not _is_about(entry, "seller")]
        return filters

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = list(super().get_list_display(request))
        if len(get_seller_roles(request)) != 1:
            columns.insert(3, "seller")
        if lacks_somewhere(request, Right.SEE_MONEY):
            columns.remove("amount")
        return columns

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_ship_permission(self, request: HttpRequest) -> bool:
        """Say whether the person may send parcels; which ones, the queryset decides."""
        if get_seller_roles(request):
            return bool(list_sellers_where(request, Right.SHIP))
        return super().has_change_permission(request)

    # The list ------------------------------------------------------------------------------------

    @display(description=gettext_lazy("number"), ordering="order__number")
    def number(self, part: SellerOrder) -> str:
        return part.order.number

    @display(description=gettext_lazy("paid"), ordering="order__paid_at")
    def paid(self, part: SellerOrder) -> str:
        return moment(part.order.paid_at)

    @display(description=gettext_lazy("for"))
    def customer(self, part: SellerOrder) -> str:
        shipping = OrderAddress.Kind.SHIPPING
        rows = (row for row in part.order.addresses.all() if row.kind == shipping)
        return next((f"{row.name}, {row.city}" for row in rows), "")

    @display(description=gettext_lazy("pieces"))
    def pieces(self, part: SellerOrder) -> str:
        lines = list(part.lines.all())
        named = ", ".join(f"{line.quantity} × {line.title}" for line in lines[:NAMED_LINES])
        return f"{named}, …" if len(lines) > NAMED_LINES else named

    @display(
        description=gettext_lazy("state"),
        label=FULFILMENT_COLOURS | {"cancelled": "danger", "delivered": "success"},
    )
    def state(self, part: SellerOrder) -> tuple[str, str]:
        if part.order.status == Order.Status.CANCELLED:
            return Order.Status.CANCELLED.value, str(part.order.get_status_display())
        return part.fulfilment_status, str(part.get_fulfilment_status_display())

    @display(description=gettext_lazy("items"), ordering="items_total")
    def amount(self, part: SellerOrder) -> str:
        return format_money(Money(part.items_total, part.order.currency))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"title": _("Orders to pack")} | (extra_context or {})
        )

    # One part ------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<int:object_id>/ship/", view(self.ship_view), name="orders_sellerorder_ship"),
            path(
                "<int:object_id>/parcels/<int:shipment_id>/deliver/",
                view(require_POST(self.deliver_view)),
                name="orders_sellerorder_deliver",
            ),
            *super().get_urls(),
        ]

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
        return redirect(_page_of(self._get_part(request, object_id)))

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        part = self._get_part(request, object_id)
        context = self._context(request, part) | {
            "order": part.order,
            "part": _view(part),
            "address": _delivery_address(part.order),
            "may_ship": self.has_ship_permission(request),
            "order_is_linked": _may_see_order(self, request),
            "hides_money": _hides_money(request, part),
        }
        return TemplateResponse(request, "admin/orders/seller_order.html", context)

    def ship_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        part = self._get_part_to_ship(request, object_id)
        view = _view(part)
        is_late = request.method == "POST" and _saw_fewer_parcels(request, view)
        if not view.can_ship or is_late:
            text = (
                _("A parcel was sent a moment ago; nothing was sent twice.")
                if is_late
                else _("There is nothing to ship here now.")
            )
            messages.warning(request, text)
            return redirect(self._next(request, part))
        form = ShipForm(
            request.POST if request.method == "POST" else None,
            lines=view.lines,
            initial={"seen_parcels": len(view.parcels), "carrier": _last_carrier(part)},
        )
        if form.is_valid() and (answer := self._ship(request, part, form)):
            return answer
        context = self._context(request, part) | {
            "form": form,
            "order": part.order,
            "part": view,
            "address": _delivery_address(part.order),
            "back_url": self._next(request, part),
        }
        return TemplateResponse(request, "admin/orders/ship.html", context)

    def deliver_view(self, request: HttpRequest, object_id: int, shipment_id: int) -> HttpResponse:
        part = self._get_part_to_ship(request, object_id)
        shipment = get_object_or_404(Shipment, pk=shipment_id, seller_order=part)
        try:
            fulfilment.mark_delivered(shipment, by=get_actor(request))
        except ShopError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Noted: the parcel has arrived."))
        return redirect(self._next(request, part))

    def _ship(self, request: HttpRequest, part: SellerOrder, form: ShipForm) -> HttpResponse | None:
        """Send the parcel; None when it was refused and the form is to be shown again."""
        given = form.cleaned_data
        try:
            shipment = fulfilment.ship(
                part,
                carrier=given["carrier"],
                tracking_number=given["tracking_number"],
                tracking_url=given["tracking_url"],
                quantities=form.quantities,
                seen_parcels=given["seen_parcels"],
                by=get_actor(request),
            )
        except ParcelSentMeanwhile as error:
            messages.warning(request, str(error))
        except ShopError as error:
            form.add_error(None, str(error))
            return None
        else:
            messages.success(request, _("Sent with %s; the shopper gets a mail.") % shipment)
        return redirect(self._next(request, part))

    def _get_part(self, request: HttpRequest, object_id: str | int) -> SellerOrder:
        """Return a part that the person may see; somebody else's is as good as none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        part: Any = self.get_object(request, str(object_id))
        if part is None:
            raise Http404
        return part

    def _get_part_to_ship(self, request: HttpRequest, object_id: int) -> SellerOrder:
        if not self.has_ship_permission(request):
            raise PermissionDenied
        return self._get_part(request, object_id)

    def _next(self, request: HttpRequest, part: SellerOrder) -> str:
        """Lead staff back to the whole order, sellers to their part of it."""
        if _may_see_order(self, request):
            return reverse("admin:orders_order_change", args=[part.order_id])
        return _page_of(part)

    def _context(self, request: HttpRequest, part: SellerOrder) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        return {
            **self.admin_site.each_context(request),
            "title": _("Order %s") % part.order.number,
        }


def _is_about(list_filter: Any, field: str) -> bool:
    return isinstance(list_filter, tuple) and list_filter[0] == field


def _may_see_order(model_admin: SellerOrderAdmin, request: HttpRequest) -> bool:
    return model_admin.admin_site.get_model_admin(Order).has_view_permission(request)


def _page_of(part: SellerOrder) -> str:
    return reverse("admin:orders_sellerorder_change", args=[part.pk])


def _hides_money(request: HttpRequest, part: SellerOrder) -> bool:
    """Say whether the person only packs for this seller."""
    role = get_seller_roles(request).get(part.seller_id)
    return role is not None and not has_right(role, Right.SEE_MONEY)


def _view(part: SellerOrder) -> PartView:
    return list_parts(part.order, SellerOrder.objects.filter(pk=part.pk))[0]


def _delivery_address(order: Order) -> Any:
    rows = [row for row in order.addresses.all() if row.kind == OrderAddress.Kind.SHIPPING]
    return view_address(rows[0]) if rows else None


def _saw_fewer_parcels(request: HttpRequest, view: PartView) -> bool:
    seen = request.POST.get("seen_parcels", "")
    return seen.isdecimal() and len(seen) < 9 and int(seen) < len(view.parcels)


def _last_carrier(part: SellerOrder) -> str:
    """Guess that a seller's next parcel goes the way of the last one."""
    last = Shipment.objects.filter(seller_order__seller=part.seller_id).order_by("-pk").first()
    return last.carrier if last and last.carrier in CARRIERS else ""
