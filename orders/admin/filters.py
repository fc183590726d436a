"""Filters of the order lists; a value that is no choice filters nothing."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str

from accounts.models import Seller
from orders.admin import todo
from orders.models import Order, SellerOrder


class StageFilter(DropdownFilter):
    title = _("stage")
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Order.Stage.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in Order.Stage.values:
            return queryset.filter(todo.STAGES[Order.Stage(self.value())])
        return queryset


class WorkFilter(DropdownFilter):
    """What is to be done; the tabs above the list set the same parameter."""

    title = _("what is to be done")
    parameter_name = "work"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("ship", _("ship")),
            ("take", _("take the money")),
            ("held", _("look at a held payment")),
            ("deliver", _("mark as delivered")),
            ("money", _("wait for the payment")),
            ("transfer", _("look whether a transfer came")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        conditions: dict[str | None, Q] = {
            "ship": todo.TO_SHIP,
            "take": todo.TO_TAKE,
            "deliver": todo.ON_THE_WAY,
            "money": todo.WAITING_FOR_MONEY,
            "transfer": todo.WAITING_FOR_TRANSFER,
        }
        if self.value() == "held":
            return queryset.filter(todo.held_orders())
        return queryset.filter(conditions.get(self.value(), Q()))


class SellerFilter(DropdownFilter):
    """Orders that a seller has a part of, found without joining the parts to the rows."""

    title = _("seller")
    parameter_name = "seller"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(pk), name) for pk, name in Seller.objects.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in dict(self.lookup_choices):
            theirs = SellerOrder.objects.filter(seller_id=self.value())
            return queryset.filter(pk__in=theirs.values("order_id"))
        return queryset


class PartWorkFilter(DropdownFilter):
    title = _("what is to be done")
    parameter_name = "work"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("ship", _("pack and ship")), ("done", _("nothing"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "ship":
            return queryset.filter(todo.PARTS_TO_SHIP)
        if self.value() == "done":
            return queryset.exclude(todo.PARTS_TO_SHIP)
        return queryset


class DayRangeFilter(RangeDateFilter):
    """From a day to a day, both whole, in the shop's time zone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self._day("from"), self._day("to")
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": _start_of(first)})
        if last:
            end = _start_of(last + timedelta(days=1))
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": end})
        return queryset

    def _day(self, end: str) -> date | None:
        typed = self.used_parameters.get(f"{self.parameter_name}_{end}")
        day = parse_date_str(str(typed)) if typed else None
        return day if day and day.year in range(2000, 2200) else None


def _start_of(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))
