"""Reads of orders: the page that a shopper sees, in one frozen object."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db.models import Count, Exists, F, OuterRef, Sum, Window
from django.db.models.functions import Lower, RowNumber
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.addressing import address_lines
from accounts.models import Seller
from accounts.queries import list_addresses
from catalog.access import make_buyer_key
from catalog.models import Product, Review
from catalog.queries import Picture, list_variant_pictures, product_url
from catalog.queries.links import write_review_url
from catalog.queries.rows import fetch_row
from orders.models import (
    Order,
    OrderAddress,
    OrderEvent,
    OrderLine,
    OrderPayment,
    OrderRefund,
    OrderRefundLine,
    OrderRefundPayment,
    SellerOrder,
    TaxLine,
)
from payments import methods
from payments.methods import Method
from payments.models import PaymentAttempt, Refund
from shop.formatting import format_rate, format_tax
from shop.money import Money
from shop.prepared import Prepared

Stage = Order.Stage
KEPT_MONEY = (Order.PaymentStatus.PAID, Order.PaymentStatus.PARTIALLY_REFUNDED)
SATURDAY = 5
MOST_PHOTOGRAPHS = 4
"""How many pieces of an order the account page shows."""
MOST_CLAIMED = 50
MOST_TO_REVIEW = 3


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
    tax_rate: str
    review_url: str = ""
    given_back: int = 0


@dataclass(frozen=True, slots=True)
class TaxView:
    """What one rate takes on an order, and of what; an accountant asks for both."""

    label: str
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Expectation:
    """Days to expect: when the parcel leaves at the latest, and between which it arrives."""

    leaves_by: date | None
    arrives_from: date
    arrives_by: date


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
class OfflinePayment:
    """How an order is paid without a provider; `details` are the shop's lines about where."""

    label: str
    details: list[str]
    is_on_pick_up: bool


@dataclass(frozen=True, slots=True)
class RefundView:
    """What an order gave back: `pieces` as words, `is_sent` once all of its money has left.

    `is_by_hand` says that money still waits for staff to send it. Of what `is_uncharged` nothing was
    ever taken, so nothing is sent.
    """

    id: int
    amount: Money
    pieces: list[str]
    at: datetime
    is_sent: bool
    is_uncharged: bool
    is_by_hand: bool = False


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as its page and its mails show it; amounts are in the order's currency."""

    number: str
    stage: str
    stage_label: str
    headline: str
    explanation: str
    steps: list[Step]
    expectation: Expectation | None
    lines: list[OrderLineView]
    subtotal: Money
    shipping: Money
    shipping_label: str
    taxes: list[TaxView]
    total: Money
    prices_include_tax: bool
    address_lines: list[str]
    billing_lines: list[str]
    email: str
    shipments: list[ShipmentView]
    refunds: list[RefundView]
    payment_label: str
    method_label: str
    offline: OfflinePayment | None
    other_methods: list[Method]
    paid_at: datetime | None
    expires_at: datetime
    can_pay: bool
    can_cancel: bool
    confirming: bool
    placed_at: datetime
    goes_back_by_hand: bool = False
    nothing_to_send: bool = False
    """All pieces were given back, and none of them had left."""

    @property
    def tax_lines(self) -> list[tuple[str, Money]]:
        return [(tax.label, tax.tax) for tax in self.taxes]

    @property
    def is_new(self) -> bool:
        """Say whether it is paid and nothing has left yet."""
        return self.stage == Stage.PROCESSING and not self.shipments and not self.nothing_to_send

    @property
    def is_part_shipped(self) -> bool:
        return self.stage == Stage.PROCESSING and bool(self.shipments)

    @property
    def is_over(self) -> bool:
        return self.stage in (Stage.CANCELLED, Stage.REFUNDED)

    @property
    def comes_in_parts(self) -> bool:
        """Say whether a parcel holds only some of what was ordered."""
        return self.is_part_shipped or len(self.shipments) > 1


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """A card of the account page: `pictures` of the first pieces, `more` that are not shown."""

    number: str
    url: str
    stage: str
    stage_label: str
    pieces: int
    total: Money
    placed_at: datetime
    pictures: list[Picture]
    more: int


def list_orders_of(user_id: int, *, limit: int = 50) -> list[OrderSummary]:
    """List a person's latest orders; three statements however many there are."""
    orders = list(
        Order.objects.filter(user_id=user_id)
        .annotate(pieces=Sum("lines__quantity"), positions=Count("lines"))
        .order_by("-id")[:limit]
    )
    pictures = _list_pictures_of_orders([order.pk for order in orders])
    return [
        OrderSummary(
            number=order.number,
            url=reverse("orders:detail", args=[order.number]),
            stage=order.stage.value,
            stage_label=str(order.stage.label),
            pieces=order.pieces,
            total=order.total_money,
            placed_at=order.created_at,
            pictures=pictures.get(order.pk, []),
            more=max(0, order.positions - MOST_PHOTOGRAPHS),
        )
        for order in orders
    ]


def list_claimable_orders(user_id: int) -> list[Order]:
    """List guests' orders, the newest first, whose email this person has proven; one statement."""
    proven = EmailAddress.objects.filter(user=user_id, verified=True)
    orders = Order.objects.alias(spelt=Lower("email")).filter(
        user=None, spelt__in=proven.values(spelt=Lower("email"))
    )
    return list(orders.order_by("-pk")[:MOST_CLAIMED])


@dataclass(frozen=True, slots=True)
class ToReview:
    """A product that somebody has and did not say anything about yet."""

    title: str
    url: str


def list_to_review(user_id: int) -> list[ToReview]:
    """List what came lately and was not reviewed by this person; one statement."""
    reviewed = Review.objects.filter(author=user_id, product=OuterRef("variant__product"))
    lines = OrderLine.objects.filter(
        ~Exists(reviewed),
        order__user=user_id,
        order__fulfilment_status=Order.FulfilmentStatus.DELIVERED,
        refunded_quantity__lt=F("quantity"),
        variant__product__status=Product.Status.ACTIVE,
        variant__product__seller__status=Seller.Status.ACTIVE,
    )
    rows = lines.order_by("-order_id", "position", "id").values_list(
        "variant__product__slug", "variant__product__title"
    )[: 4 * MOST_TO_REVIEW]
    return [
        ToReview(title, write_review_url(slug, key=""))
        for slug, title in list(dict.fromkeys(rows))[:MOST_TO_REVIEW]
    ]


def _list_pictures_of_orders(order_ids: list[int]) -> dict[int, list[Picture]]:
    """Return photographs of the first positions of each order; two statements."""
    lines = OrderLine.objects.filter(order_id__in=order_ids, variant__isnull=False)
    first = lines.annotate(
        place=Window(RowNumber(), partition_by=F("order_id"), order_by=["position", "id"])
    ).filter(place__lte=MOST_PHOTOGRAPHS)
    rows = list(
        first.order_by("order_id", "place").values_list(
            "order_id", "variant_id", "variant__product_id", "variant__image_id"
        )
    )
    pictures = list_variant_pictures(
        {variant_id: (product_id, image_id) for _order, variant_id, product_id, image_id in rows}
    )
    found: dict[int, list[Picture]] = {}
    for order_id, variant_id, _product, _image in rows:
        if variant_id in pictures:
            found.setdefault(order_id, []).append(pictures[variant_id])
    return found


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """An address that a member need not type; `fields` by their names in the checkout form.

    `key` sums it up in a form, so that whoever chose it gets what they saw, or is asked again.
    """

    key: str
    fields: dict[str, str]
    lines: list[str]
    is_in_book: bool = False
    is_for_billing: bool = False
    email: str = ""
    shipping_method: str = ""

    @property
    def label(self) -> str:
        return self.lines[0]

    @property
    def explanation(self) -> str:
        return ", ".join(self.lines[1:])

    @property
    def in_one_line(self) -> str:
        return ", ".join(self.lines)


def list_known_addresses(user_id: int) -> list[KnownAddress]:
    """List the address book, the default first, and where the latest paid order went; two statements.

    The latest order goes before a book without a default, and is left out where the book has it.
    """
    rows = list_addresses(user_id)
    book = [
        replace(_known(row.postal.as_fields()), is_in_book=True, is_for_billing=row.is_for_billing)
        for row in rows
    ]
    last = _find_last_delivery(user_id)
    if last is None:
        return book
    same = [row for row in book if row.lines == last.lines]
    if same:
        chosen = replace(same[0], email=last.email, shipping_method=last.shipping_method)
        return [chosen if row.key == chosen.key else row for row in book]
    has_default = bool(rows) and rows[0].is_for_delivery
    return [*book, last] if has_default else [last, *book]


def _find_last_delivery(user_id: int) -> KnownAddress | None:
    """Find what a person's latest paid order was delivered to; one statement.

    An order is the person's by the account that made it, never by the email that was typed.
    """
    address = (
        OrderAddress.objects.filter(
            kind=OrderAddress.Kind.SHIPPING,
            order__user_id=user_id,
            order__status__in=(Order.Status.PLACED, Order.Status.COMPLETED),
        )
        .order_by("-order_id")
        .values(
            *("name", "street", "postcode", "city", "region", "country", "phone"),
            *("order__email", "order__shipping_method"),
        )
        .first()
    )
    if address is None or not address["street"]:  # an erased one is nobody's
        return None
    email, shipping_method = address.pop("order__email"), address.pop("order__shipping_method")
    return replace(_known(address), email=email, shipping_method=shipping_method)


def _known(fields: dict[str, str]) -> KnownAddress:
    facts = "\n".join(fields[name] for name in sorted(fields))
    return KnownAddress(
        key=hashlib.sha256(facts.encode()).hexdigest()[:20],
        fields=fields,
        lines=address_lines(fields),
    )


_by_number = Prepared(lambda number: Order.objects.filter(number=number))


_by_submit_key = Prepared(lambda key: Order.objects.filter(submit_key=key))


def find_by_submit_key(key: UUID) -> Order | None:
    """Find the order that a checkout form made."""
    return _by_submit_key.first(key)


def get_order(number: str) -> Order | None:
    return _by_number.first(number)


_taxes_of = Prepared(
    lambda pk: TaxLine.objects.filter(order_id=pk).values_list("name", "percent", "net", "tax")
)


def get_order_view(order: Order, *, is_back_from_provider: bool = False) -> OrderView:
    """Assemble an order's page; ten statements at most, whatever the number of lines."""
    shipments = _list_shipments(order)
    addresses = _list_addresses(order)
    shipping_address = addresses.get(OrderAddress.Kind.SHIPPING, {})
    goes_to, billed_to = (
        address_lines(addresses[kind]) if kind in addresses else [] for kind in OrderAddress.Kind
    )
    # "Confirming" until the provider's word is final: nobody is told of a failure that may be none.
    tried = _list_tried(order)
    confirming = order.stage == Stage.PENDING and _is_being_paid(
        order, tried, is_back_from_provider
    )
    waits_for_money = order.stage == Stage.PENDING and not confirming
    method = _find_method(tried)
    offline = _explain_offline() if waits_for_money and method == methods.OFFLINE else None
    refunds = list_refunds(order)
    lines = _list_lines(order)
    nothing_to_send = (
        order.stage == Stage.PROCESSING
        and not shipments
        and all(line.given_back == line.quantity for line in lines)
    )
    if nothing_to_send:
        headline, explanation = (
            _("All of it was given back"),
            _("Nothing of this order will be sent. What goes back to you is listed below."),
        )
    else:
        headline, explanation = _words(order, confirming, shipments, offline, tried)
    return OrderView(
        number=order.number,
        stage=order.stage.value,
        stage_label=str(order.stage.label),
        headline=headline,
        explanation=explanation,
        steps=[] if nothing_to_send else list_steps(order, shipments),
        expectation=None
        if nothing_to_send
        else _expect(order, shipments, country=shipping_address.get("country", "")),
        lines=lines,
        subtotal=Money(order.items_total, order.currency),
        shipping=Money(order.shipping_total, order.currency),
        shipping_label=order.shipping_label,
        taxes=[
            TaxView(
                label=format_tax(name, percent),
                net=Money(net, order.currency),
                tax=Money(tax, order.currency),
            )
            for name, percent, net, tax in _taxes_of.list(order.pk)
        ],
        total=order.total_money,
        prices_include_tax=order.prices_include_tax,
        address_lines=goes_to,
        billing_lines=[] if billed_to == goes_to else billed_to,
        email=order.email,
        shipments=shipments,
        refunds=refunds,
        payment_label=_payment_label(order, confirming, tried, refunds),
        method_label=methods.get_label(method) if method else "",
        offline=offline,
        other_methods=[each for each in methods.list_methods() if each.code != method]
        if waits_for_money
        else [],
        paid_at=order.paid_at if order.payment_status == Order.PaymentStatus.PAID else None,
        expires_at=order.expires_at,
        can_pay=waits_for_money,
        can_cancel=waits_for_money,
        confirming=confirming,
        placed_at=order.created_at,
        goes_back_by_hand=_goes_back_by_hand(tried),
        nothing_to_send=nothing_to_send,
    )


_refunds_of = Prepared(
    lambda pk: OrderRefund.objects.filter(order_id=pk, failed_at=None, amount__gt=0).order_by("pk")
)


def list_refunds(order: Order) -> list[RefundView]:
    """List what a paid order gave back, but for what failed; one statement where that is nothing."""
    if order.paid_at is None and not order.is_uncharged:
        return []
    rows = _refunds_of.list(order.pk)
    if not rows:
        return []
    pieces: dict[int, list[str]] = {row.pk: [] for row in rows}
    for refund_id, quantity, title in OrderRefundLine.objects.filter(
        order_refund__in=rows
    ).values_list("order_refund_id", "quantity", "order_line__title"):
        pieces[refund_id].append(f"{quantity} × {title}")
    sent = dict.fromkeys(pieces, Decimal(0))
    by_hand = set()
    for refund_id, status, amount, provider in OrderRefundPayment.objects.filter(
        order_refund__in=rows
    ).values_list(
        "order_refund_id", "refund__status", "refund__amount", "refund__attempt__provider"
    ):
        if status == Refund.Status.SUCCEEDED:
            sent[refund_id] += amount
        elif status == Refund.Status.PENDING and provider == methods.OFFLINE:
            by_hand.add(refund_id)
    return [
        RefundView(
            id=row.pk,
            amount=Money(row.amount, order.currency),
            pieces=pieces[row.pk] + ([_("Delivery")] if row.shipping_amount else []),
            at=row.created_at,
            is_sent=sent[row.pk] >= row.amount,
            is_uncharged=row.is_uncharged,
            is_by_hand=row.pk in by_hand,
        )
        for row in rows
    ]


def is_held(order: Order) -> bool:
    """Say whether a wrong amount was taken and staff have not sent it back yet."""
    held = order.payments.filter(attempt__status=PaymentAttempt.Status.HELD)
    sent_back = (Refund.Status.PENDING, Refund.Status.SUCCEEDED)
    return held.exclude(attempt__refunds__status__in=sent_back).exists()


def list_timeline(order: Order) -> list[OrderEvent]:
    return list(order.events.select_related("actor").order_by("id"))


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt to pay an order; `is_going_back` while money of it is on its way back."""

    provider: str
    status: str
    is_going_back: bool


_tried_for = Prepared(
    lambda pk: (
        OrderPayment.objects.filter(order_id=pk)
        .order_by("pk")
        .annotate(
            is_going_back=Exists(
                Refund.objects.filter(
                    attempt_id=OuterRef("attempt_id"), status=Refund.Status.PENDING
                ).order_by()
            )
        )
        .values_list("attempt__provider", "attempt__status", "is_going_back")
    )
)


def _list_tried(order: Order) -> list[Tried]:
    """List the attempts, the oldest first; one statement."""
    return [Tried(*row) for row in _tried_for.list(order.pk)]


def _is_being_paid(order: Order, tried: list[Tried], is_back_from_provider: bool) -> bool:
    """Say whether the provider's last word is still to come.

    Without a provider nobody waits for a word: it takes days, and the page says how to pay.
    """
    unclear = PaymentAttempt.OPEN if is_back_from_provider else (PaymentAttempt.Status.PROCESSING,)
    if any(each.status in unclear and each.provider != methods.OFFLINE for each in tried):
        return True
    return any(each.status == PaymentAttempt.Status.HELD for each in tried) and is_held(order)


def _find_method(tried: list[Tried]) -> str:
    """Name the provider that was paid, or the one that was chosen last."""
    paid = [each for each in tried if each.status == PaymentAttempt.Status.CAPTURED]
    return next((each.provider for each in [*paid, *tried[-1:]]), "")


def _goes_back_by_hand(tried: list[Tried]) -> bool:
    """Say whether money waits for staff to send it back."""
    return any(each.is_going_back and each.provider == methods.OFFLINE for each in tried)


def _explain_offline() -> OfflinePayment:
    return OfflinePayment(
        label=methods.get_label(methods.OFFLINE),
        details=methods.list_offline_details(),
        is_on_pick_up=methods.is_paid_on_pick_up(),
    )


_lines_of: Prepared[tuple[Any, ...]] = Prepared(
    lambda pk: OrderLine.objects.filter(order_id=pk).values_list(
        "variant_id",
        "variant__product_id",
        "variant__product__slug",
        "variant__image_id",
        "title",
        "variant_label",
        "sku",
        "unit_price",
        "quantity",
        "tax_percent",
        "refunded_quantity",
    )
)


def _list_lines(order: Order) -> list[OrderLineView]:
    rows = _lines_of.list(order.pk)
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
            tax_rate=format_rate(percent),
            review_url=_review_url(order, product_id, slug),
            given_back=given_back,
        )
        for (
            variant_id, product_id, slug, _image, title, label, sku, price, quantity, percent,
            given_back,
        ) in rows
    ]  # fmt: skip


def _review_url(order: Order, product_id: int | None, slug: str | None) -> str:
    """Let whoever holds what they bought say how they like it, guests too."""
    if product_id is None or not slug or order.stage not in (Stage.SHIPPED, Stage.DELIVERED):
        return ""
    return write_review_url(slug, key=make_buyer_key(product_id, order.number))


_shipments_of: Prepared[tuple[Any, ...]] = Prepared(
    lambda pk: (
        SellerOrder.objects.filter(order_id=pk, shipments__isnull=False)
        .order_by("shipments__id")
        .values_list(
            "shipments__id",
            "shipments__carrier",
            "shipments__tracking_number",
            "shipments__tracking_url",
            "shipments__shipped_at",
            "shipments__delivered_at",
            "shipments__lines__quantity",
            "shipments__lines__order_line__title",
        )
    )
)


def _list_shipments(order: Order) -> list[ShipmentView]:
    views: dict[int, ShipmentView] = {}
    for (
        shipment_id, carrier, number, url, shipped_at, delivered_at, quantity, title,
    ) in _shipments_of.list(order.pk):  # fmt: skip
        view = views.setdefault(
            shipment_id, ShipmentView(carrier, number, url, shipped_at, delivered_at, [])
        )
        view.lines.append((quantity, title))
    return list(views.values())


_addresses_of: Prepared[tuple[Any, ...]] = Prepared(
    lambda pk: OrderAddress.objects.filter(order_id=pk).values_list(
        "kind", "name", "street", "postcode", "city", "region", "country"
    )
)


def _list_addresses(order: Order) -> dict[str, dict[str, str]]:
    """Return the order's addresses by their kind."""
    return {
        kind: {
            "name": name,
            "street": street,
            "postcode": postcode,
            "city": city,
            "region": region,
            "country": country,
        }
        for kind, name, street, postcode, city, region, country in _addresses_of.list(order.pk)
    }


_DAYS = """
SELECT method.days_min, method.days_max,
       (SELECT max(seller.handling_days)
        FROM orders_sellerorder part JOIN accounts_seller seller ON seller.id = part.seller_id
        WHERE part.order_id = %(order)s)
FROM cart_shippingmethod method JOIN cart_shippingzone zone ON zone.id = method.zone_id
WHERE method.code = %(method)s AND %(country)s = ANY(zone.countries)
ORDER BY method.id
"""


def _expect(order: Order, shipments: list[ShipmentView], *, country: str) -> Expectation | None:
    """Reckon when an order that is paid, or wholly on its way, arrives; none once that is past.

    The delivery method's working days count from the day it leaves, which is at the latest the
    slowest maker's working days after payment.
    """
    if order.stage == Stage.PROCESSING and not shipments:
        started_at = order.paid_at
    elif order.stage == Stage.SHIPPED:
        started_at = max(shipment.shipped_at for shipment in shipments)
    else:
        return None
    method = fetch_row(
        _DAYS, {"order": order.pk, "method": order.shipping_method, "country": country}
    )
    if method is None or started_at is None:
        return None
    days_min, days_max, handling_days = method
    day = localdate(started_at)
    is_packed = bool(shipments)
    leaves_by = None if is_packed or not handling_days else add_working_days(day, handling_days)
    leaves_on = leaves_by or day
    arrives_by = add_working_days(leaves_on, days_max)
    if arrives_by < localdate():
        return None
    return Expectation(leaves_by, add_working_days(leaves_on, days_min), arrives_by)


def add_working_days(day: date, count: int) -> date:
    """Go on by Mondays to Fridays; holidays are not known here."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < SATURDAY
    return day


def _payment_label(
    order: Order, confirming: bool, tried: list[Tried], refunds: list[RefundView]
) -> str:
    """Say in a word or two how the payment stands."""
    status = Order.PaymentStatus
    is_partly = order.payment_status == status.PARTIALLY_REFUNDED
    if is_partly and refunds and all(refund.is_uncharged for refund in refunds):
        return _("Paid")  # Less than the total was taken, and nothing went back.
    if confirming:
        return _("Being confirmed")
    if order.payment_status == status.PENDING and order.stage == Stage.PENDING:
        return _("Not paid yet")
    if order.payment_status == status.VOIDED and any(each.is_going_back for each in tried):
        return _("Going back to you")
    return {
        status.AUTHORIZED: _("Set aside on your card"),
        status.PAID: _("Paid"),
        status.PARTIALLY_REFUNDED: _("Partly refunded"),
        status.REFUNDED: _("Refunded"),
    }.get(status(order.payment_status), _("Nothing charged"))


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


def _words(
    order: Order,
    confirming: bool,
    shipments: list[ShipmentView],
    offline: OfflinePayment | None,
    tried: list[Tried],
) -> tuple[str, str]:
    """Say where the order stands, as a person would."""
    is_going_back = any(each.is_going_back for each in tried)
    by_hand = _("We send your money back by hand. You get a mail as soon as it has left.")
    if confirming:
        return (
            _("Confirming your payment"),
            _("We are waiting for the payment provider's word. This page changes by itself."),
        )
    if offline and offline.is_on_pick_up:
        return (
            _("Reserved for you"),
            _("You pay when you fetch it. Please bring the number of your order."),
        )
    if offline:
        return (
            _("Waiting for your transfer"),
            _("As soon as the money is here we get your order ready, and you get a mail."),
        )
    if order.stage == Stage.PENDING and is_going_back:
        misfit = _("What you paid did not fit this order, and is on its way back to you.")
        return _("Waiting for your payment"), by_hand if _goes_back_by_hand(tried) else misfit
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
    if order.is_uncharged:
        return (
            _("Thank you for your order"),
            _(
                "We are getting it ready. The amount is set aside on your card, and is taken when "
                "your order is about to leave."
            ),
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
    if order.status == Order.Status.EXPIRED and is_going_back:
        late = _("Your money came when the time was over, and it is on its way back to you.")
        return (
            _("This order was not paid in time"),
            by_hand if _goes_back_by_hand(tried) else late,
        )
    if order.status == Order.Status.EXPIRED:
        return (
            _("This order was not paid in time"),
            _("Nothing was charged, and the pieces are free again. You can order them anew."),
        )
    if _goes_back_by_hand(tried):
        return _("This order is cancelled"), by_hand
    if is_going_back or (order.payment_status in KEPT_MONEY and order.total):
        return (
            _("This order is cancelled"),
            _("The money that you paid is on its way back to you."),
        )
    return _("This order is cancelled"), _("Nothing was charged.")
