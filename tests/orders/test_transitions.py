"""An order's status changes in one place and only as the table allows."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import cancellation, transitions
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order

SERVICES = {
    "placed": transitions.place,
    "completed": transitions.complete,
    "cancelled": transitions.cancel,
    "expired": transitions.expire,
}


@pytest.mark.django_db
@pytest.mark.parametrize("status", Order.Status.values)
@pytest.mark.parametrize("wanted", SERVICES)
def test_a_change_that_the_table_does_not_list_is_refused(status: str, wanted: str) -> None:
    order = Order(status=status, number="E-1", payment_status="pending", pk=None)
    if order.can_become(wanted):
        return

    with pytest.raises(ActionNotAllowed):
        SERVICES[wanted](order)

    assert (order.status, order.payment_status) == (status, "pending")


def test_nothing_else_sets_an_orders_status() -> None:
    sources = sorted((settings.BASE_DIR / "orders").rglob("*.py"))
    setting = re.compile(r"order\.status = |update\(.*\bstatus=")

    found = [path.name for path in sources if setting.search(path.read_text())]

    assert found == ["transitions.py"]


@pytest.mark.django_db
def test_staff_are_told_why_an_expired_order_cannot_be_cancelled() -> None:
    order = place_order(VariantFactory(stock=3))
    cancellation.cancel_unpaid(order, by=None)
    Order.objects.update(status="expired")

    with pytest.raises(ActionNotAllowed, match="not paid in time; there is nothing to cancel"):
        cancellation.cancel(order, by=StaffFactory(), reason="Too late")
