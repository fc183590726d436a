"""Pieces of an order go back: each once, for what it cost, and the shopper is told."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import transaction
from django.db.models import Sum
from django.utils.timezone import localdate

from catalog.models import StockLevel
from orders.errors import ActionNotAllowed, TotalChanged
from orders.models import LedgerEntry, Order, OrderRefund
from orders.queries import get_order_view
from orders.services import cancellation, fulfilment, offline, payment, refunding
from payments.errors import ProviderUnavailable
from payments.gateways.base import RefundResult
from payments.models import PaymentAttempt, Refund
from payments.services import refunds
from payments.simulator.refunds import send_back
from payments.simulator.running import Simulator
from shop.models import Mail, OutboxMessage
from shop.money import Money
from tests.factories.accounts import SellerFactory, StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery, place_order
from tests.journeys.shopper import Shopper, pay
from tests.outbox import deliver_outbox
from tests.payments.events import list_refund_events, post_event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator, settings: Any) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    make_delivery()
    yield
    simulator.provider.faults.clear()


def pay_for(simulator: Simulator, order: Order) -> Order:
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    deliver_outbox()
    mail.outbox.clear()
    order.refresh_from_db()
    return order


@pytest.fixture
def order(simulator: Simulator) -> Order:
    """Three mugs of 24.00 and delivery of 4.90, paid; five were on the shelf."""
    mug = VariantFactory(stock=5, price=Decimal("24.00"), product__title="Dune mug")
    return pay_for(simulator, place_order(mug, quantity=3))


def give_back(order: Order, quantity: int, **options: Any) -> OrderRefund:
    """Give pieces of an order's first line back."""
    line = order.lines.first()
    assert line is not None
    given = {
        "by": None,
        "lines": {line.pk: quantity},
        "restock": False,
        "reason": "Cracked",
        "submit_key": str(uuid4()),
    }
    return refunding.refund(order, **(given | options))


def on_hand() -> int:
    return StockLevel.objects.get().on_hand


def bank_gives_back(simulator: Simulator, refund: Refund) -> None:
    send_back(simulator.provider, refund.provider_id)
    for event in list_refund_events(simulator, refund.provider_id):
        post_event(event)
    deliver_outbox()


def test_one_of_three_mugs_goes_back_and_the_shopper_is_told_which(order: Order) -> None:
    staff = StaffFactory(name="Grace Hopper")
    order_refund = give_back(order, 1, by=staff)

    assert order_refund.amount == Decimal("24.00")
    assert Refund.objects.get().status == "pending"
    assert mail.outbox == []
    deliver_outbox()

    order.refresh_from_db()
    assert Refund.objects.get().status == "succeeded"
    assert (order.status, order.payment_status) == ("placed", "partially_refunded")
    assert order.lines.get().refunded_quantity == 1
    (told,) = mail.outbox
    assert told.subject.startswith(f"We refunded €24.00 of order {order.number}")
    assert "We have sent €24.00 back to you for 1 × Dune mug" in " ".join(told.body.split())
    note = order.events.get(kind="refund_requested")
    assert note.message == "€24.00 goes back for 1 × Dune mug. Cracked"
    assert note.actor == staff


def test_the_orders_page_lists_what_went_back(simulator: Simulator) -> None:
    shopper = Shopper()
    mug = VariantFactory(stock=5, price=Decimal("24.00"), product__title="Dune mug")
    order = pay_for(simulator, shopper.buy(mug, quantity=2))
    give_back(order, 1, with_shipping=True)

    waiting = shopper.see(order)
    deliver_outbox()
    sent = shopper.see(order)

    assert "1 × Dune mug, Delivery" in waiting
    assert "€28.90" in waiting
    assert "On its way back" in waiting
    assert "On its way back" not in sent
    assert "Sent back" in sent


def test_all_pieces_and_the_delivery_in_steps_are_worth_what_was_paid(order: Order) -> None:
    amounts = [
        give_back(order, 1).amount,
        give_back(order, 1, with_shipping=Decimal("1.90")).amount,
        give_back(order, 1, with_shipping=True).amount,
    ]
    deliver_outbox()

    order.refresh_from_db()
    assert amounts == [Decimal("24.00"), Decimal("25.90"), Decimal("27.00")]
    assert (order.payment_status, order.stage) == ("refunded", "Refunded")


def test_delivery_alone_goes_back_once(order: Order) -> None:
    assert give_back(order, 0, with_shipping=True).amount == Decimal("4.90")

    with pytest.raises(ActionNotAllowed):
        give_back(order, 0, with_shipping=True)
    with pytest.raises(ActionNotAllowed):
        give_back(order, 1, with_shipping=Decimal("0.01"))

    assert OrderRefund.objects.count() == 1


@pytest.mark.parametrize("quantity", [4, -1, 0])
def test_what_was_not_bought_does_not_go_back(order: Order, quantity: int) -> None:
    with pytest.raises(ActionNotAllowed):
        give_back(order, quantity, restock=True)

    assert (OrderRefund.objects.count(), Refund.objects.count(), on_hand()) == (0, 0, 2)


def test_a_negative_delivery_lowers_nothing(order: Order) -> None:
    with pytest.raises(ActionNotAllowed):
        give_back(order, 1, with_shipping=Decimal("-1"))

    assert OrderRefund.objects.count() == 0


def test_a_line_of_another_order_does_not_go_back(simulator: Simulator, order: Order) -> None:
    other = pay_for(simulator, place_order(VariantFactory(stock=1)))

    with pytest.raises(ActionNotAllowed):
        give_back(order, 0, lines={other.lines.get().pk: 1})

    assert OrderRefund.objects.count() == 0


def test_what_went_back_does_not_go_back_again(order: Order) -> None:
    give_back(order, 2)

    with pytest.raises(ActionNotAllowed):
        give_back(order, 2)

    assert order.lines.get().refunded_quantity == 2
    assert Refund.objects.count() == 1


def test_a_double_click_gives_back_once(order: Order) -> None:
    key = str(uuid4())

    first, second = (give_back(order, 1, submit_key=key, restock=True) for _ in range(2))

    assert first == second
    assert (Refund.objects.count(), on_hand()) == (1, 3)


def test_an_amount_that_nobody_saw_is_not_sent(order: Order) -> None:
    with pytest.raises(TotalChanged):
        give_back(order, 1, seen_amount=Money(Decimal("23.00"), "EUR"))

    assert OrderRefund.objects.count() == 0


def test_an_unpaid_order_has_nothing_to_give_back() -> None:
    unpaid = place_order(VariantFactory(stock=1))

    with pytest.raises(ActionNotAllowed):
        give_back(unpaid, 1)

    assert OrderRefund.objects.count() == 0


def test_pieces_return_to_the_shelf_only_when_staff_say_so(order: Order) -> None:
    give_back(order, 1, restock=False)
    assert on_hand() == 2

    give_back(order, 1, restock=True)
    assert on_hand() == 3


def test_pieces_that_are_not_counted_are_refunded_and_put_nowhere(simulator: Simulator) -> None:
    order = pay_for(simulator, place_order(VariantFactory(tracks_stock=False)))

    assert give_back(order, 1, restock=True).lines.get().restocked == 0
    assert not StockLevel.objects.exists()


def test_the_rest_of_a_partly_refunded_order_is_shipped_and_no_more(order: Order) -> None:
    give_back(order, 1)
    deliver_outbox()
    part = order.seller_orders.get()

    with pytest.raises(ActionNotAllowed):
        fulfilment.ship(part, carrier="DHL", quantities={order.lines.get().pk: 3}, by=None)
    parcel = fulfilment.ship(part, carrier="DHL", by=None)

    order.refresh_from_db()
    assert parcel.lines.get().quantity == 2
    assert order.fulfilment_status == "fulfilled"
    fulfilment.mark_delivered(parcel, by=None)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("completed", "partially_refunded")


def test_an_order_is_complete_when_what_was_not_sent_is_given_back(order: Order) -> None:
    part = order.seller_orders.get()
    parcel = fulfilment.ship(part, carrier="DHL", quantities={order.lines.get().pk: 2}, by=None)
    fulfilment.mark_delivered(parcel, by=None)
    order.refresh_from_db()
    assert order.fulfilment_status == "partially_fulfilled"

    give_back(order, 1, restock=True)

    order.refresh_from_db()
    assert (order.status, order.fulfilment_status) == ("completed", "delivered")


def test_a_part_that_is_wholly_given_back_holds_the_other_seller_up_no_more(
    simulator: Simulator,
) -> None:
    mug = VariantFactory(stock=5, product__seller=SellerFactory())
    bowl = VariantFactory(stock=5, product__seller=SellerFactory())
    order = pay_for(simulator, place_order(mug, bowl))
    first, second = order.seller_orders.order_by("pk")
    give_back(order, 0, lines={first.lines.get().pk: 1})
    deliver_outbox()

    fulfilment.ship(second, carrier="DHL", by=None)

    order.refresh_from_db()
    assert order.fulfilment_status == "fulfilled"


def test_delivered_pieces_go_back_and_the_order_stays_complete(order: Order) -> None:
    parcel = fulfilment.ship(order.seller_orders.get(), carrier="DHL", by=None)
    fulfilment.mark_delivered(parcel, by=None)

    give_back(order, 3, with_shipping=True, restock=True)
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.stage, on_hand()) == ("completed", "Refunded", 5)


def test_a_refund_that_fails_gives_its_pieces_back(simulator: Simulator, order: Order) -> None:
    give_back(order, 2, restock=True)
    deliver_outbox()

    bank_gives_back(simulator, Refund.objects.get())

    order.refresh_from_db()
    assert order.payment_status == "paid"
    assert order.lines.get().refunded_quantity == 0
    assert order.refunds.get().failed_at is not None
    assert order.events.filter(kind="refund_undone").count() == 1
    assert not cancellation.send_money_back(order, by=StaffFactory())


def test_pieces_whose_refund_failed_go_back_on_the_shelf_once(
    simulator: Simulator, order: Order
) -> None:
    give_back(order, 2, restock=True)
    deliver_outbox()
    bank_gives_back(simulator, Refund.objects.get())

    give_back(order, 3, with_shipping=True, restock=True)
    deliver_outbox()

    order.refresh_from_db()
    assert (order.payment_status, on_hand()) == ("refunded", 5)


def test_nobody_is_told_of_a_refund_that_failed_meanwhile(
    simulator: Simulator, order: Order
) -> None:
    order_refund = give_back(order, 1)
    deliver_outbox()
    mail.outbox.clear()
    bank_gives_back(simulator, Refund.objects.get())
    OutboxMessage.objects.filter(key=f"notice:{order.pk}:refunded:{order_refund.pk}").update(
        done_at=None
    )
    Mail.objects.filter(kind="orders.refunded").delete()

    deliver_outbox()

    assert mail.outbox == []


def test_cancelling_after_a_part_was_refunded_sends_the_rest(order: Order) -> None:
    give_back(order, 1, restock=True)
    deliver_outbox()
    order.refresh_from_db()

    cancellation.cancel(order, by=StaffFactory(), reason="Out of clay")
    deliver_outbox()

    order.refresh_from_db()
    amounts = Refund.objects.order_by("pk").values_list("amount", flat=True)
    assert list(amounts) == [Decimal("24.00"), Decimal("52.90")]
    assert (order.status, order.payment_status, on_hand()) == ("cancelled", "refunded", 5)


def test_a_cancelled_order_gives_nothing_more_back(order: Order) -> None:
    cancellation.cancel(order, by=StaffFactory(), reason="Out of clay")

    with pytest.raises(ActionNotAllowed):
        give_back(order, 1)

    assert OrderRefund.objects.count() == 1


def test_a_provider_that_does_not_answer_sends_the_money_once(
    simulator: Simulator, order: Order
) -> None:
    simulator.add_fault("refunds.create", "timeout_after", seconds=0.1)
    give_back(order, 1)

    with pytest.raises(ProviderUnavailable):
        refunds.send(Refund.objects.get().pk)
    deliver_outbox()

    assert Refund.objects.get().status == "succeeded"
    assert Refund.objects.get().attempt.transactions.filter(kind="refund").count() == 1


def test_a_page_whose_pieces_all_went_back_promises_no_parcel(simulator: Simulator) -> None:
    shopper = Shopper()
    mug = VariantFactory(stock=5, price=Decimal("24.00"), product__title="Dune mug")
    order = pay_for(simulator, shopper.buy(mug, quantity=2))
    before = shopper.see(order)

    give_back(order, 2)
    deliver_outbox()
    after = shopper.see(order)

    assert "What happens next" in before
    assert "All of it was given back" in after
    assert "Nothing of this order will be sent." in after
    for words in ("Thank you for your order", "What happens next", "getting it ready"):
        assert words not in after


def test_a_card_payment_that_goes_back_late_is_not_called_uncharged(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(status="expired", payment_status="voided")
    order.refresh_from_db()
    try:
        Refund.objects.create(
            attempt=order.payments.get().attempt, key="late", amount=order.total, currency="EUR"
        )
        view = get_order_view(order)
    finally:
        Refund.objects.all().delete()
        Order.objects.filter(pk=order.pk).update(status="placed", payment_status="paid")

    assert view.payment_label == "Going back to you"
    assert "on its way back to you" in view.explanation


def place_discounted(discount: str, *prices: str, quantity: int) -> Order:
    """Place an order with a discount on the whole and pay it by transfer; delivery is 4.90."""
    mugs = [VariantFactory(stock=9, price=Decimal(price)) for price in prices]
    order = place_order(*mugs, quantity=quantity, provider="offline")
    Order.objects.filter(pk=order.pk).update(
        discount_total=Decimal(discount), total=order.total - Decimal(discount)
    )
    order.refresh_from_db()
    PaymentAttempt.objects.update(amount=order.total)
    payment.start(order)
    offline.book_receipt(
        order,
        amount=order.total_money,
        received_on=localdate(),
        bank_reference="",
        by=StaffFactory(),
    )
    order.refresh_from_db()
    assert order.payment_status == "paid"
    return order


def discounts_booked(order: Order) -> Decimal:
    return LedgerEntry.objects.filter(transaction__order=order, account="discounts").aggregate(
        sum=Sum("amount")
    )["sum"] or Decimal(0)


def test_a_discounted_piece_gives_back_what_was_paid_for_it() -> None:
    order = place_discounted("10.00", "24.00", quantity=3)

    amounts = [give_back(order, 1).amount for _ in range(3)]
    paid_by_the_shop = discounts_booked(order)
    delivery = give_back(order, 0, with_shipping=True).amount

    # 24.00 less a third of 10.00, rounded over all pieces so far.
    assert amounts == [Decimal("20.67"), Decimal("20.66"), Decimal("20.67")]
    assert delivery == Decimal("4.90")
    assert sum(amounts) + delivery == order.total
    assert paid_by_the_shop == 0


def test_a_discount_is_spread_by_worth_and_the_last_piece_takes_the_rest() -> None:
    order = place_discounted("7.77", "10.00", "33.33", quantity=2)
    cheap, dear = order.lines.order_by("unit_price")

    amounts = [
        give_back(order, 0, lines=lines).amount
        for lines in ({cheap.pk: 1}, {dear.pk: 1}, {cheap.pk: 1}, {dear.pk: 1})
    ]

    assert amounts == [Decimal("9.10"), Decimal("30.34"), Decimal("9.11"), Decimal("30.34")]
    assert sum(amounts) == order.total - Decimal("4.90")
    assert refunding.get_owed(order).amount == Decimal("4.90")


def test_a_discount_beyond_the_goods_makes_the_delivery_cheaper() -> None:
    order = place_discounted("26.00", "24.00", quantity=1)

    assert order.total == Decimal("2.90")
    assert give_back(order, 0, with_shipping=True).amount == Decimal("2.90")
    assert refunding.get_owed(order).amount == 0


def test_a_refund_of_a_discounted_piece_that_failed_can_be_made_anew() -> None:
    order = place_discounted("10.00", "24.00", quantity=3)
    give_back(order, 1)
    second = give_back(order, 1)
    refund = Refund.objects.get(pk=second.payments.get().refund_id)
    deliver_outbox()
    with transaction.atomic():
        attempt = PaymentAttempt.objects.select_for_update().get()
        refunds.apply_result(refund, attempt, RefundResult("", is_settled=False, failure="no"))

    again = [give_back(order, 1).amount for _ in range(2)]

    assert second.amount == Decimal("20.66")
    assert again == [Decimal("20.66"), Decimal("20.67")]


def test_cancelling_a_discounted_order_gives_back_what_was_paid() -> None:
    order = place_discounted("10.00", "24.00", quantity=3)
    give_back(order, 1)

    cancellation.cancel(order, by=StaffFactory(), reason="Cracked")

    sent = [row.amount for row in Refund.objects.order_by("pk")]
    assert sent == [Decimal("20.67"), Decimal("46.23")]
    assert discounts_booked(order) == 0
