"""Pages for who keeps the money: a transfer has come, a refund was sent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from accounts.requests import needs_recent_proof
from orders.admin.actor import get_actor
from orders.models import Order
from orders.queries import is_held
from orders.services import offline
from payments.methods import OFFLINE
from payments.models import Refund
from shop.errors import ShopError
from shop.formatting import format_money
from shop.money import Money

if TYPE_CHECKING:
    from datetime import date

    from orders.admin.order import OrderAdmin

PERMISSION = "payments.add_offlinemovement"
"""Who may say that money moved; whoever may only pack and ship has it not."""


class MovementForm(forms.Form):
    """When money moved, and what the bank calls it."""

    use_required_attribute = False

    moved_on = forms.DateField(
        label=gettext_lazy("Day"),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
    )
    bank_reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=140,
        required=False,
        help_text=gettext_lazy("What the bank's statement says, or the number of the receipt."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_moved_on(self) -> date:
        moved_on: date = self.cleaned_data["moved_on"]
        if moved_on > localdate():
            raise forms.ValidationError(_("This day is still to come."))
        return moved_on

    def clean_bank_reference(self) -> str:
        return " ".join(self.cleaned_data["bank_reference"].split())


class TypedAmount(forms.DecimalField):
    """An amount with a point or a comma, whichever the language of the page has."""

    def to_python(self, value: Any) -> Any:
        is_with_comma = isinstance(value, str) and "." not in value
        return super().to_python(value.replace(",", ".") if is_with_comma else value)


class ReceiptForm(MovementForm):
    """What came; an amount that differs is asked about once, for a slip here is hard to mend."""

    amount = TypedAmount(
        label=gettext_lazy("Amount"),
        max_digits=14,
        decimal_places=4,
        min_value=Decimal("0.0001"),
        # Not a number's field: browsers refuse a comma in one, or take it for nothing.
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    is_right = forms.BooleanField(
        label=gettext_lazy("This other amount is really what came"),
        required=False,
        widget=UnfoldBooleanWidget,
    )

    field_order = ["amount", "moved_on", "bank_reference", "is_right"]

    def __init__(self, data: Mapping[str, Any] | None, *, asked: Money) -> None:
        super().__init__(data, initial={"amount": f"{asked.amount:f}", "moved_on": localdate()})
        self.asked = asked

    @property
    def is_doubted(self) -> bool:
        return "is_right" in self.errors or bool(self.data.get("is_right"))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        differs = "amount" in values and values["amount"] != self.asked.amount
        if differs and not values.get("is_right"):
            text = _("Asked for was %(amount)s. Tick this if another amount came: it is then held.")
            if values["amount"] < self.asked.amount:
                text = _(
                    "Asked for was %(amount)s. If the rest is still to come, wait, and write down "
                    "the sum once all of it is here. Tick this if nothing more comes: it is then "
                    "held, and can be sent back."
                )
            self.add_error("is_right", text % {"amount": format_money(self.asked)})
        return values


def list_urls(order_admin: OrderAdmin) -> list[Any]:
    """Return the addresses of these pages, below an order's own."""

    def receipt(request: HttpRequest, object_id: int) -> HttpResponse:
        return _show_receipt(order_admin, request, object_id)

    def payout(request: HttpRequest, object_id: int, refund_id: int) -> HttpResponse:
        return _show_payout(order_admin, request, object_id, refund_id)

    view = order_admin.admin_site.admin_view
    return [
        path(
            "<int:object_id>/money-came/",
            view(needs_recent_proof(receipt)),
            name="orders_order_money_came",
        ),
        path(
            "<int:object_id>/money-sent/<int:refund_id>/",
            view(needs_recent_proof(payout)),
            name="orders_order_money_sent",
        ),
    ]


def may_book(request: HttpRequest) -> bool:
    """Say whether the person may write money down."""
    return request.user.has_perm(PERMISSION)


def _show_receipt(order_admin: OrderAdmin, request: HttpRequest, object_id: int) -> HttpResponse:
    order = _get_order(order_admin, request, object_id)
    attempt = offline.find_receivable(order)
    if attempt is None:
        text = _("No transfer is expected for this order, or it came already.")
        if is_held(order):
            text = _(
                "What came for this order is held, so a second part cannot be written down. Send "
                "the held money back, and this part with it; then the order can be paid anew."
            )
        messages.info(request, text)
        return redirect(_page_of(order))
    form = ReceiptForm(request.POST if request.method == "POST" else None, asked=attempt.money)
    if form.is_valid():
        values = form.cleaned_data
        try:
            offline.book_receipt(
                order,
                amount=Money(values["amount"], order.currency),
                received_on=values["moved_on"],
                bank_reference=values["bank_reference"],
                by=get_actor(request),
            )
        except ShopError as error:
            messages.error(request, str(error))
        else:
            _tell_what_came_of_it(request, order)
        return redirect(_page_of(order))
    return _show(
        order_admin, request, order,
        form=form,
        heading=_("The money has come"),
        amount=attempt.money,
        button=_("The money has come"),
    )  # fmt: skip


def _show_payout(
    order_admin: OrderAdmin, request: HttpRequest, object_id: int, refund_id: int
) -> HttpResponse:
    order = _get_order(order_admin, request, object_id)
    refund = get_object_or_404(
        Refund,
        pk=refund_id,
        attempt_id__in=order.payments.values("attempt_id"),
        attempt__provider=OFFLINE,
    )
    form = MovementForm(
        request.POST if request.method == "POST" else None, initial={"moved_on": localdate()}
    )
    if form.is_valid():
        values = form.cleaned_data
        try:
            offline.book_payout(
                refund,
                sent_on=values["moved_on"],
                bank_reference=values["bank_reference"],
                by=get_actor(request),
            )
        except ShopError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The refund is written down as sent."))
        return redirect(_page_of(order))
    return _show(
        order_admin, request, order,
        form=form,
        heading=_("The money was sent back"),
        amount=refund.money,
        button=_("It was sent"),
    )  # fmt: skip


def _tell_what_came_of_it(request: HttpRequest, order: Order) -> None:
    order.refresh_from_db()
    if order.payment_status == Order.PaymentStatus.PAID:
        messages.success(request, _("Order %s is paid; the shopper gets a mail.") % order.number)
    else:
        messages.warning(
            request, _("The money is written down, but does not pay the order. Please look below.")
        )


def _get_order(order_admin: OrderAdmin, request: HttpRequest, object_id: int) -> Order:
    if not may_book(request) or not order_admin.has_change_permission(request):
        raise PermissionDenied
    return get_object_or_404(Order, pk=object_id)


def _show(
    order_admin: OrderAdmin,
    request: HttpRequest,
    order: Order,
    *,
    form: MovementForm,
    heading: str,
    amount: Money,
    button: str,
) -> HttpResponse:
    request.current_app = order_admin.admin_site.name
    context = {
        **order_admin.admin_site.each_context(request),
        "title": f"{heading}: {order.number}",
        "opts": order_admin.opts,
        "original": order,
        "order": order,
        "form": form,
        "heading": heading,
        "amount": amount,
        "button": button,
        "page_url": _page_of(order),
    }
    return TemplateResponse(request, "admin/orders/money.html", context)


def _page_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])
