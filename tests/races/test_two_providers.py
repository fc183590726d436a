"""Two providers at once for one order: one of them pays it, and nobody is charged for nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.utils.timezone import localdate

from catalog.models import ProductVariant, StockLevel
from orders.models import Order
from orders.services import ledger, offline, payment
from orders.services import settlement as order_settlement
from payments.models import PaymentAttempt, PaymentTransaction, Refund
from payments.services import offline as offline_books
from payments.services import settlement
from payments.simulator.running import Simulator
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import pay
from tests.outbox import deliver_outbox
from tests.races.threads import meeting_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _mails(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.SHOP_OFFLINE_PAYMENT = "transfer"


@pytest.fixture
def order(simulator: Simulator) -> Order:
    return start_both(simulator, VariantFactory(stock=3, price=Decimal("12.00")))


def start_both(simulator: Simulator, variant: ProductVariant) -> Order:
    """Place an order over 28.90 whose transfer is on its way although the card was paid after it."""
    order = place_order(variant, quantity=2, provider="offline")
    payment.start(order)
    payment.start(order, provider="stripe")
    pay(simulator, order)
    return order


def write_transfer_down(order: Order) -> PaymentAttempt:
    """Write down that the whole transfer came; it is settled later."""
    attempt = offline.find_receivable(order)
    assert attempt is not None
    offline._record_receipt(
        order.pk,
        attempt.pk,
        amount=order.total_money,
        received_on=localdate(),
        bank_reference="SEPA 1",
        by=StaffFactory(),
    )
    return attempt


def settle_both(order: Order) -> list[Any]:
    transfer = write_transfer_down(order)
    card = PaymentAttempt.objects.get(provider="stripe")
    return meeting_at(
        Order.objects.all(),
        lambda: settlement.settle(card.pk).status,
        lambda: settlement.settle(transfer.pk).status,
    )


def test_two_providers_at_once_for_one_order_pay_it_once_and_the_second_goes_back(
    order: Order,
) -> None:
    results = settle_both(order)
    deliver_outbox()

    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert results == ["captured", "captured"]
    assert (order.status, order.payment_status) == ("placed", "paid")
    assert (level.on_hand, level.allocated) == (1, 0)
    assert PaymentTransaction.objects.filter(kind="capture").count() == 2
    assert Refund.objects.get().amount == Decimal("28.90")
    assert sorted(each.subject for each in mail.outbox) == [
        f"A payment for order {order.number} goes back to you – Emporium",
        f"Your order {order.number} – Emporium",
    ]


@pytest.mark.breaks_invariants
def test_control_without_the_lock_on_the_order_both_payments_are_kept(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of things that are not counted; where pieces are, the shelf refuses the second sale, too."""
    order = start_both(simulator, VariantFactory(price=Decimal("12.00"), tracks_stock=False))

    def book_unlocked(attempt: PaymentAttempt) -> Order:
        order = Order.objects.get(payments__attempt=attempt)
        ledger.post_movements(attempt, order)
        return order

    monkeypatch.setattr(order_settlement, "book", book_unlocked)
    monkeypatch.setattr(ledger, "post_placement", lambda order: None)  # Its key would refuse, too.

    results = settle_both(order)

    assert results == ["captured", "captured"]
    assert PaymentTransaction.objects.filter(kind="capture").count() == 2
    assert not Refund.objects.exists()


def test_two_windows_that_choose_two_ways_at_once_open_one(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    payment._close_other_pages(order, "offline")

    results = meeting_at(
        Order.objects.all(),
        lambda: payment._current_attempt(order.pk, "offline").provider,
        lambda: payment._current_attempt(order.pk, "stripe").provider,
    )

    opened = PaymentAttempt.objects.filter(status__in=PaymentAttempt.OPEN)
    [refused] = [each for each in results if not isinstance(each, str)]
    assert "This order is being paid in another window." in str(refused)
    assert [each.provider for each in opened] == [each for each in results if each != refused]


def test_control_without_the_look_at_the_others_two_windows_open_two(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment, "_is_open_elsewhere", lambda tried, provider: False)
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    payment._close_other_pages(order, "offline")

    meeting_at(
        Order.objects.all(),
        lambda: payment._current_attempt(order.pk, "offline"),
        lambda: payment._current_attempt(order.pk, "stripe"),
    )

    opened = PaymentAttempt.objects.filter(status__in=PaymentAttempt.OPEN)
    assert sorted(each.provider for each in opened) == ["offline", "stripe"]


def test_a_transfer_written_down_by_two_people_at_once_counts_once(order: Order) -> None:
    attempt = offline.find_receivable(order)
    assert attempt is not None
    staff = StaffFactory()

    results = meeting_at(
        PaymentAttempt.objects.filter(pk=attempt.pk),
        *(
            lambda: offline.book_receipt(
                order,
                amount=order.total_money,
                received_on=localdate(),
                bank_reference="SEPA 1",
                by=staff,
            )
            for _ in range(2)
        ),
    )

    assert sorted(results) == [False, True]
    assert offline_books.OfflineMovement.objects.count() == 1
    assert PaymentTransaction.objects.filter(provider="offline").count() == 1
