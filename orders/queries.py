"""Reads of orders: the page that a shopper sees, in one frozen object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.addressing import address_lines
from catalog.queries import Picture, list_variant_pictures, product_url
from orders.models import Order, OrderAddress, OrderEvent
from payments.models import PaymentAttempt, Refund
from shop.formatting import format_tax
from shop.money import Money

Stage = Order.Stage


@dataclass(frozen=True, slots=True)
class OrderLineView:
    url: str
    title: str
    options_label: str
    sku: str
    picture: Picture | None
    unit_price: Money
    total: Money
    quantity: int


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the way; `state` is done, current or todo."""

    label: str
    state: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ShipmentView:
    carrier: str
    tracking_number: str
    tracking_url: str
    shipped_at: datetime
    delivered_at: datetime | None
    lines: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as its page and its mails show it; amounts are in the order's currency."""

    number: str
    stage: str
    stage_label: str
    headline: str
    explanation: str
    steps: list[Step]
    lines: list[OrderLineView]
    subtotal: Money
    shipping: Money
    shipping_label: str
    tax_lines: list[tuple[str, Money]]
    total: Money
    prices_include_tax: bool
    address_lines: list[str]
    email: str
    shipments: list[ShipmentView]
    can_pay: bool
    can_cancel: bool
    confirming: bool
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """A line of the account page."""

    number: str
    url: str
    stage_label: str
    total: Money
    placed_at: datetime


def list_orders_of(user_id: int, *, limit: int = 50) -> list[OrderSummary]:
    """List a person's latest orders; one statement."""
    return [
        OrderSummary(
            number=order.number,
            url=reverse("orders:detail", args=[order.number]),
            stage_label=str(order.stage.label),
            total=order.total_money,
            placed_at=order.created_at,
        )
        for order in Order.objects.filter(user_id=user_id).order_by("-id")[:limit]
    ]


def get_order(number: str) -> Order | None:
    return Order.objects.filter(number=number).first()


def get_order_view(order: Order, *, is_back_from_provider: bool = False) -> OrderView:
    """Assemble an order's page; eight statements whatever the number of lines."""
    shipments = _list_shipments(order)
    # "Confirming" until the provider's word is final: nobody is told of a failure that may be none.
    confirming = order.stage == Stage.PENDING and _is_being_paid(order, is_back_from_provider)
    waits_for_money = order.stage == Stage.PENDING and not confirming
    headline, explanation = _words(order, confirming, shipments)
    return OrderView(
        number=order.number,
        stage=order.stage.value,
        stage_label=str(order.stage.label),
        headline=headline,
        explanation=explanation,
        steps=list_steps(order, shipments),
        lines=_list_lines(order),
        subtotal=Money(order.items_total, order.currency),
        shipping=Money(order.shipping_total, order.currency),
        shipping_label=order.shipping_label,
        tax_lines=[
            (format_tax(name, percent), Money(tax, order.currency))
            for name, percent, tax in order.tax_lines.values_list("name", "percent", "tax")
        ],
        total=order.total_money,
        prices_include_tax=order.prices_include_tax,
        address_lines=_address_lines(order),
        email=order.email,
        shipments=shipments,
        can_pay=waits_for_money,
        can_cancel=waits_for_money,
        confirming=confirming,
        placed_at=order.created_at,
    )


def is_held(order: Order) -> bool:
    """Say whether a wrong amount was taken and staff have not sent it back yet."""
    held = order.payments.filter(attempt__status=PaymentAttempt.Status.HELD)
    sent_back = (Refund.Status.PENDING, Refund.Status.SUCCEEDED)
    return held.exclude(attempt__refunds__status__in=sent_back).exists()


def list_timeline(order: Order) -> list[OrderEvent]:
    return list(order.events.select_related("actor").order_by("id"))


def _is_being_paid(order: Order, is_back_from_provider: bool) -> bool:
    """Say whether the provider's last word is still to come."""
    unclear = PaymentAttempt.OPEN if is_back_from_provider else (PaymentAttempt.Status.PROCESSING,)
    return order.payments.filter(attempt__status__in=unclear).exists() or is_held(order)


def _list_lines(order: Order) -> list[OrderLineView]:
    rows: list[tuple[Any, ...]] = list(
        order.lines.values_list(
            "variant_id",
            "variant__product_id",
            "variant__product__slug",
            "variant__image_id",
            "title",
            "variant_label",
            "sku",
            "unit_price",
            "quantity",
        )
    )
    pictures = list_variant_pictures({row[0]: (row[1], row[3]) for row in rows if row[0]})
    currency = order.currency
    return [
        OrderLineView(
            url=product_url(slug, sku=sku) if slug else "",
            title=title,
            options_label=label,
            sku=sku,
            picture=pictures.get(variant_id),
            unit_price=Money(price, currency),
            total=Money(price, currency) * quantity,
            quantity=quantity,
        )
        for variant_id, _product, slug, _image, title, label, sku, price, quantity in rows
    ]


def _list_shipments(order: Order) -> list[ShipmentView]:
    views: dict[int, ShipmentView] = {}
    rows = order.seller_orders.filter(shipments__isnull=False).order_by("shipments__id")
    for (
        shipment_id, carrier, number, url, shipped_at, delivered_at, quantity, title,
    ) in rows.values_list(
        "shipments__id",
        "shipments__carrier",
        "shipments__tracking_number",
        "shipments__tracking_url",
        "shipments__shipped_at",
        "shipments__delivered_at",
        "shipments__lines__quantity",
        "shipments__lines__order_line__title",
    ):  # fmt: skip
        view = views.setdefault(
            shipment_id, ShipmentView(carrier, number, url, shipped_at, delivered_at, [])
        )
        view.lines.append((quantity, title))
    return list(views.values())


def _address_lines(order: Order) -> list[str]:
    address = (
        order.addresses.filter(kind=OrderAddress.Kind.SHIPPING)
        .values("name", "street", "postcode", "city", "region", "country")
        .first()
    )
    return address_lines(address) if address else []


def list_steps(order: Order, shipments: list[ShipmentView]) -> list[Step]:
    """Return the stages of an order's way; empty once it was cancelled or refunded."""
    way = [Stage.PENDING, Stage.PROCESSING, Stage.SHIPPED, Stage.DELIVERED]
    if order.stage not in way:
        return []
    reached = way.index(order.stage)
    delivered = [shipment.delivered_at for shipment in shipments]
    times = [
        order.created_at,
        order.paid_at,
        max((shipment.shipped_at for shipment in shipments), default=None),
        max((at for at in delivered if at), default=None) if all(delivered) else None,
    ]
    labels = [_("Ordered"), _("Processing"), _("Shipped"), _("Delivered")]
    return [
        Step(
            label=label,
            state="done" if place < reached else "current" if place == reached else "todo",
            at=at if place <= reached else None,
        )
        for place, (label, at) in enumerate(zip(labels, times, strict=True))
    ]


def _words(order: Order, confirming: bool, shipments: list[ShipmentView]) -> tuple[str, str]:
    """Say where the order stands, as a person would."""
    if confirming:
        return (
            _("Confirming your payment"),
            _("We are waiting for the payment provider's word. This page changes by itself."),
        )
    if order.stage == Stage.PENDING:
        return (
            _("Waiting for your payment"),
            _("Your pieces are reserved for a while. Nothing has been charged yet."),
        )
    if order.stage == Stage.PROCESSING and shipments:
        return (
            _("A part of your order is on its way"),
            _("The rest is being packed. You get a mail for every parcel."),
        )
    if order.stage == Stage.PROCESSING:
        return (
            _("Thank you for your order"),
            _("It is paid, and we are getting it ready. You get a mail when it leaves."),
        )
    if order.stage == Stage.SHIPPED:
        return _("Your order is on its way"), _("Here is where you can follow it.")
    if order.stage == Stage.DELIVERED:
        return _("Your order has arrived"), _("We hope it feels at home with you.")
    if order.stage == Stage.REFUNDED:
        return _("Your money is on its way back"), _("The whole amount was refunded.")
    if order.status == Order.Status.EXPIRED:
        return (
            _("This order was not paid in time"),
            _("Nothing was charged, and the pieces are free again. You can order them anew."),
        )
    if order.payment_status == Order.PaymentStatus.PAID and order.total:
        return (
            _("This order is cancelled"),
            _("The money that you paid is on its way back to you."),
        )
    return _("This order is cancelled"), _("Nothing was charged.")
