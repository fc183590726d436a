"""Two of the staff give the same pieces back at the same moment."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError

from catalog.models import StockLevel
from orders.errors import ActionNotAllowed
from orders.models import Order, OrderRefund
from orders.services import cancellation, payment, refunding
from payments.models import PaymentAttempt, Refund
from payments.simulator.running import Simulator
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import pay
from tests.outbox import deliver_outbox
from tests.races.threads import at_once, meeting_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def order(simulator: Simulator, settings: Any) -> Order:
    """Two pieces of 24.00 and delivery, paid; three were on the shelf."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    deliver_outbox()
    order.refresh_from_db()
    return order


def give_back(order: Order, quantity: int, *, key: str = "") -> OrderRefund:
    return refunding.refund(
        order,
        by=None,
        lines={order.lines.get().pk: quantity},
        restock=True,
        reason="Cracked",
        submit_key=key or str(uuid4()),
    )


def names_of(results: list[Any]) -> list[str]:
    return sorted(type(result).__name__ for result in results)


def test_two_staff_who_give_the_same_pieces_back_at_once_give_them_back_once(order: Order) -> None:
    results = meeting_at(Order.objects.all(), *(lambda: give_back(order, 2) for _ in range(2)))
    deliver_outbox()

    assert names_of(results) == [ActionNotAllowed.__name__, OrderRefund.__name__]
    assert order.lines.get().refunded_quantity == 2
    assert Refund.objects.count() == 1
    assert StockLevel.objects.get().on_hand == 3


def test_control_without_the_locks_only_the_databases_own_rule_is_left(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    for manager in (PaymentAttempt.objects, Order.objects):
        monkeypatch.setattr(
            manager.__class__,
            "select_for_update",
            lambda manager, *args, **kwargs: manager.get_queryset(),
            raising=False,
        )
    queryset = PaymentAttempt._base_manager.all().__class__
    real = queryset.select_for_update
    monkeypatch.setattr(
        queryset,
        "select_for_update",
        lambda rows, *args, **kwargs: (
            rows if rows.model is PaymentAttempt else real(rows, *args, **kwargs)
        ),
    )

    # Both reckon that two pieces are left, and meet where they count them on the line.
    results = meeting_at(order.lines.all(), *(lambda: give_back(order, 2) for _ in range(2)))

    assert names_of(results) == [IntegrityError.__name__, OrderRefund.__name__]


def test_one_piece_each_at_once_is_two_pieces(order: Order) -> None:
    results = meeting_at(Order.objects.all(), *(lambda: give_back(order, 1) for _ in range(2)))
    deliver_outbox()

    assert names_of(results) == [OrderRefund.__name__] * 2
    assert order.lines.get().refunded_quantity == 2
    assert Refund.objects.filter(status="succeeded").count() == 2


def test_the_same_form_sent_three_times_at_once_gives_back_once(order: Order) -> None:
    key = str(uuid4())

    results = at_once(*(lambda: give_back(order, 1, key=key) for _ in range(3)))

    assert len({result.pk for result in results}) == 1
    assert Refund.objects.count() == 1
    assert StockLevel.objects.get().on_hand == 2


def test_giving_a_piece_back_and_cancelling_at_once_sends_all_of_the_money_once(
    order: Order,
) -> None:
    staff = StaffFactory()

    meeting_at(
        Order.objects.all(),
        lambda: give_back(order, 1),
        lambda: cancellation.cancel(order, by=staff, reason="Out of clay"),
    )
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert sum(refund.amount for refund in Refund.objects.all()) == order.total
    assert StockLevel.objects.get().on_hand == 3
