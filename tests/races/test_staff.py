"""Two of the shop's people at one order, and one of them while the money is still coming."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.db.models import Manager, QuerySet

from catalog.models import StockLevel, StockMovement
from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import cancellation, fulfilment, payment
from payments.models import PaymentAttempt, PaymentTransaction, Refund
from payments.services import settlement
from payments.simulator.running import Simulator
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay
from tests.outbox import deliver_outbox
from tests.races.threads import (
    PATIENCE,
    _with_own_connection,
    meeting_at,
    wait_until_blocked,
)

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def order(simulator: Simulator, settings: Any) -> Order:
    """An order of two pieces out of three, whose payment page is open."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    return order


def cancel(order: Order) -> Callable[[], None]:
    staff = StaffFactory()
    return lambda: cancellation.cancel(order, by=staff, reason="Changed their mind")


def shelf() -> tuple[int, int]:
    level = StockLevel.objects.get()
    return level.on_hand, level.allocated


@pytest.fixture
def without_row_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the guard away: rows are read as they are, and nobody waits for anybody."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, *args, **kwargs: rows)
    monkeypatch.setattr(
        Manager, "select_for_update", lambda rows, *args, **kwargs: rows.all(), raising=False
    )


def test_an_order_that_two_people_cancel_at_once_is_cancelled_once(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    payment.check(order)

    results = meeting_at(Order.objects.all(), cancel(order), cancel(order))
    deliver_outbox()

    assert sorted(type(result).__name__ for result in results) == ["ActionNotAllowed", "NoneType"]
    assert shelf() == (3, 0)
    assert StockMovement.objects.filter(kind="return").count() == 1
    assert Refund.objects.get().amount == order.total
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert [each.subject for each in mail.outbox if "cancelled" in each.subject.lower()] == [
        f"Order {order.number} is cancelled – Emporium"
    ]


@pytest.mark.breaks_invariants
@pytest.mark.usefixtures("without_row_locks")
def test_control_without_row_locks_only_a_key_of_the_refund_stops_the_second(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    payment.check(order)

    results = while_the_shelf_is_taken([cancel(order), cancel(order)])

    assert sorted(type(result).__name__ for result in results) == ["IntegrityError", "NoneType"]


def test_cancelling_while_the_money_comes_ends_without_the_money(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    attempt_id = attempt_of(order).pk

    meeting_at(PaymentAttempt.objects.all(), lambda: settlement.settle(attempt_id), cancel(order))
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert PaymentTransaction.objects.filter(kind="capture").count() == 1
    assert Refund.objects.get().amount == order.total
    assert shelf() == (3, 0)


def test_money_that_comes_after_staff_cancelled_goes_back_by_itself(
    simulator: Simulator, order: Order
) -> None:
    """The bank is slow: staff cancel while it works, then it pays."""
    attempt_id = attempt_of(order).pk
    PaymentAttempt.objects.filter(pk=attempt_id).update(status="processing")
    pay(simulator, order)

    results = meeting_at(
        Order.objects.all(),
        lambda: cancellation._cancel(order.pk, by=StaffFactory(), reason="No", restock=True),
        lambda: settlement.settle(attempt_id),
    )
    deliver_outbox()

    assert not [each for each in results if isinstance(each, Exception)]
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert Refund.objects.get().amount == order.total
    assert order.payment_status == "refunded"
    assert shelf() == (3, 0)


def test_shipping_and_cancelling_at_once_end_in_one_of_the_two(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    payment.check(order)
    part, staff = order.seller_orders.get(), StaffFactory()

    results = meeting_at(
        Order.objects.all(),
        lambda: fulfilment.ship(part, carrier="DHL", by=staff),
        cancel(order),
    )

    order.refresh_from_db()
    assert sum(isinstance(result, ActionNotAllowed) for result in results) == 1
    outcome = (order.status, order.fulfilment_status, shelf())
    assert outcome in {
        ("placed", "fulfilled", (1, 0)),
        ("cancelled", "unfulfilled", (3, 0)),
    }


@pytest.mark.breaks_invariants
@pytest.mark.usefixtures("without_row_locks")
def test_control_without_row_locks_an_order_is_shipped_and_its_money_sent_back(
    simulator: Simulator, order: Order
) -> None:
    pay(simulator, order)
    payment.check(order)
    part, staff = order.seller_orders.get(), StaffFactory()

    results = while_the_shelf_is_taken(
        [cancel(order)], then=lambda: fulfilment.ship(part, carrier="DHL", by=staff)
    )

    assert results == [None]
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert part.shipments.count() == 1
    assert Refund.objects.get().amount == order.total


def while_the_shelf_is_taken(
    actions: list[Callable[[], Any]], *, then: Callable[[], Any] = lambda: None
) -> list[Any]:
    """Let actions look at the order and come to wait for the shelf, do another thing, let go."""
    with ThreadPoolExecutor(len(actions) + 1) as pool:
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM catalog_stocklevel FOR UPDATE")
            futures = [pool.submit(_with_own_connection, action) for action in actions]
            wait_until_blocked(len(actions))
            meanwhile = pool.submit(_with_own_connection, then).result(PATIENCE)
        assert not isinstance(meanwhile, Exception), meanwhile
        return [future.result(PATIENCE) for future in futures]
