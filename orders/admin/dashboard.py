"""The admin's first page: what is to be done first, for the shop's staff or for a seller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import localdate, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin.scoping import get_seller_roles, list_sellers_where
from accounts.roles import Right
from catalog.models import Review, StockLevel
from catalog.queries.reviews import count_waiting
from catalog.queries.stock import low_levels
from orders.admin import todo
from orders.models import LedgerEntry, LedgerTransaction, Order, OrderLine, SellerOrder
from orders.models.ledger import SHARES
from payments.models import Dispute, ReconciliationBreak, Refund
from payments.services import breaks
from shop.clock import now
from shop.formatting import format_money
from shop.models import Mail, OutboxMessage
from shop.money import Money
from shop.templatetags.dates import moment, short_day

STUCK_AFTER = timedelta(minutes=15)
CHART_DAYS = 14
CHART_HEIGHT = 120
SHOWN_ROWS = 6


@dataclass(frozen=True, slots=True)
class Card:
    """A number worth a look, with the list behind it; `tone` is calm, work or alarm."""

    label: str
    value: str
    note: str
    icon: str
    url: str
    tone: str


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    note: str
    value: str
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of the sales chart; `height` and `top` are in the drawing's units."""

    day: str
    text: str
    left: int
    top: int
    height: int


@dataclass(frozen=True, slots=True)
class Dashboard:
    cards: list[Card]
    to_ship: list[Row]
    to_ship_url: str
    low_stock: list[Row]
    bars: list[Bar]
    sales_total: str
    shows_sales: bool = True


@dataclass(frozen=True, slots=True)
class Sales:
    count: int
    amount: Money


def add_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Put the dashboard into the admin's first page; the admin calls this by its name."""
    context["title"] = _("To do")
    seller_ids = list(get_seller_roles(request))
    if seller_ids:
        context["dashboard"] = _for_sellers(request, seller_ids)
    elif _may_see(request, Order):
        context["dashboard"] = _for_staff(request)
    return context


def _for_staff(request: HttpRequest) -> Dashboard:
    waiting = SellerOrder.objects.filter(todo.PARTS_TO_SHIP)
    sales = _sales_by_day(LedgerEntry.objects.filter(account__in=SHARES))
    return Dashboard(
        cards=[
            _to_ship_card(
                Order.objects.filter(todo.TO_SHIP).aggregate(
                    count=Count("pk"), oldest=Min("paid_at")
                ),
                reverse("admin:orders_order_changelist") + "?work=ship",
            ),
            *_take_cards(),
            *_transfer_cards(request),
            *_alarm_cards(request),
            *_provider_cards(request),
            *_review_cards(request),
            _sales_card(sales, reverse("admin:orders_order_changelist")),
        ],
        to_ship=_list_to_ship(waiting, whole_orders=True),
        to_ship_url=reverse("admin:orders_order_changelist") + "?work=ship",
        low_stock=_list_low_stock(request, low_levels()),
        bars=_draw(sales),
        sales_total=format_money(_sum(sales)),
    )


def _for_sellers(request: HttpRequest, seller_ids: list[int]) -> Dashboard:
    own = SellerOrder.objects.filter(seller__in=seller_ids)
    waiting = own.filter(todo.PARTS_TO_SHIP)
    counted = list_sellers_where(request, Right.SEE_MONEY)
    sales = _sales_by_day(LedgerEntry.objects.filter(seller__in=counted)) if counted else {}
    url = reverse("admin:orders_sellerorder_changelist")
    low = low_levels().filter(variant__product__seller__in=seller_ids)
    return Dashboard(
        cards=[
            _to_ship_card(
                waiting.aggregate(count=Count("pk"), oldest=Min("order__paid_at")),
                f"{url}?work=ship",
            ),
            _stock_card(request, low.count()),
            *([_sales_card(sales, url)] if counted else []),
        ],
        to_ship=_list_to_ship(waiting, whole_orders=False),
        to_ship_url=f"{url}?work=ship",
        low_stock=_list_low_stock(request, low),
        bars=_draw(sales),
        sales_total=format_money(_sum(sales)),
        shows_sales=bool(counted),
    )


# Cards --------------------------------------------------------------------------------------------


def _to_ship_card(found: dict[str, Any], url: str) -> Card:
    oldest = found["oldest"]
    return Card(
        label=_("Orders to ship"),
        value=str(found["count"]),
        note=_("the oldest since %s") % moment(oldest) if oldest else _("Nothing waits."),
        icon="local_shipping",
        url=url,
        tone="work" if found["count"] else "calm",
    )


def _take_cards() -> list[Card]:
    """Ask for the money that is only set aside, while there is some; sound alarm before it lapses."""
    waiting = Order.objects.filter(todo.TO_TAKE).count()
    if not waiting:
        return []
    lapsing = Order.objects.filter(todo.lapsing_orders()).count()
    note = ngettext("%(count)d lapses soon", "%(count)d lapse soon", lapsing) % {"count": lapsing}
    return [
        Card(
            label=_("Money to take"),
            value=str(waiting),
            note=note if lapsing else _("Set aside on cards; take it before you ship."),
            icon="payments",
            url=reverse("admin:orders_order_changelist") + "?work=take",
            tone="alarm" if lapsing else "work",
        )
    ]


def _transfer_cards(request: HttpRequest) -> list[Card]:
    """Ask for a look at the account while orders wait for a transfer, or refunds for being sent."""
    url = reverse("admin:orders_order_changelist")
    waiting = Order.objects.filter(todo.WAITING_FOR_TRANSFER).aggregate(
        count=Count("pk"), oldest=Min("created_at")
    )
    to_send = Refund.objects.filter(todo.REFUNDS_TO_SEND).count()
    cards = []
    if waiting["count"]:
        cards.append(
            Card(
                label=_("Waiting for a transfer"),
                value=str(waiting["count"]),
                note=_("the oldest since %s") % moment(waiting["oldest"]),
                icon="account_balance",
                url=f"{url}?work=transfer",
                tone="work",
            )
        )
    if to_send:
        cards.append(
            Card(
                label=_("Refunds to send by hand"),
                value=str(to_send),
                note=_("Send them, then write it down in the order."),
                icon="undo",
                url=_list_url(request, Refund, "?status__exact=pending"),
                tone="work",
            )
        )
    return cards


def _alarm_cards(request: HttpRequest) -> list[Card]:
    held = Order.objects.filter(todo.held_orders()).count()
    failed = Refund.objects.filter(status=Refund.Status.FAILED).count()
    unsent = Mail.objects.filter(
        Q(created_at__lt=now() - STUCK_AFTER) | ~Q(error=""), sent_at=None
    ).count()
    dead = OutboxMessage.objects.exclude(dead_at=None).count()
    return [
        Card(
            label=_("Payments held"),
            value=str(held + failed),
            note=ngettext("and %(count)d failed refund", "and %(count)d failed refunds", failed)
            % {"count": failed}
            if failed
            else _("Money that does not fit its order."),
            icon="front_hand",
            url=reverse("admin:orders_order_changelist") + "?work=held"
            if held or not failed
            else reverse("admin:payments_refund_changelist") + "?status__exact=failed",
            tone="alarm" if held or failed else "calm",
        ),
        Card(
            label=_("Mails and tasks stuck"),
            value=str(unsent + dead),
            note=_("%(mails)d mails not sent, %(tasks)d tasks given up")
            % {"mails": unsent, "tasks": dead}
            if unsent or dead
            else _("Everything went out."),
            icon="mark_email_unread",
            url=_list_url(request, OutboxMessage, "?state=dead")
            if dead
            else _list_url(request, Mail, "?state=failing"),
            tone="alarm" if unsent or dead else "calm",
        ),
        _stock_card(request, low_levels().count()),
    ]


def _provider_cards(request: HttpRequest) -> list[Card]:
    """Tell of disputes and of books that disagree, while there are any."""
    cards = []
    waiting = Dispute.objects.filter(status__in=todo.TO_ANSWER)
    found = waiting.aggregate(count=Count("pk"), next_day=Min("due_by"))
    if found["count"]:
        cards.append(
            Card(
                label=_("Disputes to answer"),
                value=str(found["count"]),
                note=_("the first until %s") % moment(found["next_day"])
                if found["next_day"]
                else _("A bank asks for the money back."),
                icon="gavel",
                url=_list_url(request, Dispute),
                tone="alarm",
            )
        )
    if count := breaks.count_open():
        cards.append(
            Card(
                label=_("Books that disagree"),
                value=str(count),
                note=_("Ours and the payment provider's."),
                icon="rule",
                url=_list_url(request, ReconciliationBreak, "?status__exact=open"),
                tone="alarm",
            )
        )
    return cards


def _review_cards(request: HttpRequest) -> list[Card]:
    """Ask for a look at reviews while some wait for it."""
    count = count_waiting()
    if not count:
        return []
    return [
        Card(
            label=_("Reviews to read"),
            value=str(count),
            note=_("Nobody else sees them before."),
            icon="reviews",
            url=_list_url(request, Review, "?status__exact=pending"),
            tone="work",
        )
    ]


def _stock_card(request: HttpRequest, count: int) -> Card:
    return Card(
        label=_("Low stock"),
        value=str(count),
        note=_("few pieces left to sell"),
        icon="inventory_2",
        url=_list_url(request, StockLevel, "?left=low"),
        tone="work" if count else "calm",
    )


def _sales_card(sales: dict[date, Sales], url: str) -> Card:
    today = sales.get(localdate())
    count = today.count if today else 0
    return Card(
        label=_("Sales today"),
        value=format_money(today.amount if today else Money.zero(settings.SHOP_CURRENCY)),
        note=ngettext("%(count)d order", "%(count)d orders", count) % {"count": count},
        icon="payments",
        url=url,
        tone="calm",
    )


# Lists --------------------------------------------------------------------------------------------


def _list_to_ship(waiting: QuerySet[SellerOrder], *, whole_orders: bool) -> list[Row]:
    parts = list(waiting.select_related("order", "seller").order_by("order_id", "pk")[:SHOWN_ROWS])
    lines: dict[int, list[str]] = {part.pk: [] for part in parts}
    for line in OrderLine.objects.filter(seller_order__in=parts):
        lines[line.seller_order_id].append(f"{line.quantity} × {line.title}")
    return [
        Row(
            title=part.order.number,
            note=", ".join(lines[part.pk]),
            value=part.seller.name if whole_orders else moment(part.order.paid_at),
            url=reverse("admin:orders_order_change", args=[part.order_id])
            if whole_orders
            else reverse("admin:orders_sellerorder_change", args=[part.pk]),
        )
        for part in parts
    ]


def _list_low_stock(request: HttpRequest, levels: QuerySet[Any]) -> list[Row]:
    rows = levels.select_related("variant__product").order_by("left", "pk")[:SHOWN_ROWS]
    return [
        Row(
            title=f"{level.variant.product.title} {level.variant.label}".strip(),
            note=level.variant.sku,
            value=ngettext("%(count)d left", "%(count)d left", level.left) % {"count": level.left},
            url=_change_url(request, level.variant.product),
        )
        for level in rows
    ]


# Sales --------------------------------------------------------------------------------------------


def _first_day() -> datetime:
    first = localdate() - timedelta(days=CHART_DAYS - 1)
    return make_aware(datetime.combine(first, time.min))


def _sales_by_day(entries: QuerySet[LedgerEntry]) -> dict[date, Sales]:
    """Sum what was sold on each of the last days less what was given back, tax included.

    In the shop's currency and time zone; what the ledger says, so that all figures agree.
    """
    placed = Q(transaction__kind=LedgerTransaction.Kind.PLACEMENT)
    found = (
        entries.filter(created_at__gte=_first_day(), transaction__currency=settings.SHOP_CURRENCY)
        .order_by()
        .annotate(day=TruncDate("created_at"))
        .values("day")
        .annotate(count=Count("transaction", filter=placed, distinct=True), amount=Sum("amount"))
    )
    return {
        row["day"]: Sales(row["count"], Money(-row["amount"], settings.SHOP_CURRENCY))
        for row in found
    }


def _sum(sales: dict[date, Sales]) -> Money:
    amounts = (day.amount.amount for day in sales.values())
    return Money(sum(amounts, Decimal(0)), settings.SHOP_CURRENCY)


def _draw(sales: dict[date, Sales]) -> list[Bar]:
    first = localdate() - timedelta(days=CHART_DAYS - 1)
    days = [first + timedelta(days=offset) for offset in range(CHART_DAYS)]
    highest = max([Decimal(0), *(day.amount.amount for day in sales.values())]) or Decimal(1)
    bars = []
    for place, day in enumerate(days):
        sold = sales.get(day)
        height = round(sold.amount.amount * CHART_HEIGHT / highest) if sold else 0
        amount = sold.amount if sold else Money.zero(settings.SHOP_CURRENCY)
        bars.append(
            Bar(
                day=short_day(day),
                text=f"{short_day(day)}: {format_money(amount)}",
                left=place * 20 + 3,
                top=CHART_HEIGHT - max(height, 2),
                height=max(height, 2),
            )
        )
    return bars


# Links --------------------------------------------------------------------------------------------


def _may_see(request: HttpRequest, model: type[Any]) -> bool:
    return admin.site.is_registered(model) and admin.site.get_model_admin(
        model
    ).has_view_permission(request)


def _list_url(request: HttpRequest, model: type[Any], query: str = "") -> str:
    if not _may_see(request, model):
        return ""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") + query


def _change_url(request: HttpRequest, row: Any) -> str:
    if not _may_see(request, type(row)):
        return ""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
