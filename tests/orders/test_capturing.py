"""Money that is set aside first and taken later: nothing is booked before, nothing is lost after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.core import mail

from catalog.models import StockLevel
from catalog.services import stock
from orders.errors import ActionNotAllowed, TotalChanged
from orders.models import LedgerEntry, Order
from orders.services import (
    cancellation,
    capturing,
    expiry,
    fulfilment,
    notices,
    payment,
    refunding,
)
from payments.errors import ProviderUnavailable
from payments.models import Capture, PaymentAttempt, PaymentTransaction, ProviderEvent, Refund
from payments.services import authorisations, settlement
from payments.simulator import holds
from payments.simulator.running import Simulator
from shop.money import Money
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery, place_order
from tests.journeys.shopper import Shopper, attempt_of, pay, session_of
from tests.outbox import deliver_outbox
from tests.payments.events import event_of, list_events, post_event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _later(simulator: Simulator, settings: Any) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.PAYMENT_CAPTURE = "later"
    make_delivery()
    yield
    simulator.provider.faults.clear()


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def authorise(simulator: Simulator, order: Order) -> Order:
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    deliver_outbox()
    order.refresh_from_db()
    return order


@pytest.fixture
def order(simulator: Simulator) -> Order:
    """Three mugs of 24.00 and delivery of 4.90, set aside; five were on the shelf."""
    mug = VariantFactory(stock=5, price=Decimal("24.00"), product__title="Dune mug")
    return authorise(simulator, place_order(mug, quantity=3))


def take_out(order: Order, quantity: int) -> None:
    line = order.lines.get()
    refunding.refund(
        order,
        by=None,
        lines={line.pk: quantity},
        restock=True,
        reason="Cracked",
        submit_key=str(uuid4()),
    )


def intent_of(simulator: Simulator, order: Order) -> dict[str, Any]:
    intent = simulator.provider.store.get("payment_intent", attempt_of(order).provider_payment_id)
    assert intent is not None
    return intent


def on_shelf() -> tuple[int, int]:
    level = StockLevel.objects.get()
    return level.on_hand, level.allocated


def assert_taken(order: Order, amount: str = "76.90") -> None:
    order.refresh_from_db()
    attempt = attempt_of(order)
    assert (order.status, attempt.status) == ("placed", "captured")
    assert order.paid_at is not None
    assert list(PaymentTransaction.objects.values_list("kind", "amount")) == [
        ("capture", Decimal(amount))
    ]
    held = LedgerEntry.objects.filter(account="provider:stripe").values_list("amount", flat=True)
    assert list(held) == [Decimal(amount)]


def subjects() -> list[str]:
    return [message.subject for message in mail.outbox]


def test_the_order_is_placed_while_its_money_is_only_set_aside(
    simulator: Simulator, order: Order
) -> None:
    attempt = attempt_of(order)

    assert (order.status, order.payment_status, order.stage) == (
        "placed",
        "authorized",
        "Processing",
    )
    assert (attempt.status, order.paid_at) == ("authorised", None)
    assert attempt.authorised_until is not None
    assert attempt.authorised_at is not None
    days = (attempt.authorised_until - attempt.authorised_at).total_seconds() / 86400
    assert days == pytest.approx(7, abs=0.01)
    assert on_shelf() == (2, 0)
    assert not LedgerEntry.objects.exists()
    assert not PaymentTransaction.objects.exists()
    assert intent_of(simulator, order)["status"] == "requires_capture"
    assert subjects() == [f"Your order {order.number} – Emporium"]
    assert "€76.90 is set aside on your card" in " ".join(mail.outbox[0].body.split())


def test_staff_take_the_money_and_then_the_parcel_may_leave(order: Order) -> None:
    staff = StaffFactory(name="Grace Hopper")
    part = order.seller_orders.get()
    with pytest.raises(ActionNotAllowed, match=r"only set aside. Take it first"):
        fulfilment.ship(part, carrier="DHL", by=staff)

    taken = capturing.take_money(order, by=staff, seen_amount=euros("76.90"))
    assert taken == euros("76.90")
    assert Capture.objects.get().status == "pending"
    assert not PaymentTransaction.objects.exists()
    deliver_outbox()

    assert_taken(order)
    assert order.payment_status == "paid"
    assert Capture.objects.get().status == "succeeded"
    assert order.events.get(kind="capture_requested").actor == staff
    assert subjects()[1:] == [f"We have charged your card for order {order.number} – Emporium"]
    fulfilment.ship(part, carrier="DHL", by=staff)
    deliver_outbox()


def test_what_was_taken_out_before_is_not_taken_and_goes_back_to_nobody(
    simulator: Simulator, order: Order
) -> None:
    take_out(order, 1)
    deliver_outbox()
    assert subjects()[1:] == [f"Order {order.number} is smaller now – Emporium"]
    assert "You pay €24.00 less" in " ".join(mail.outbox[1].body.split())
    assert on_shelf() == (3, 0)

    with pytest.raises(TotalChanged):
        capturing.take_money(order, by=None, seen_amount=euros("76.90"))
    assert capturing.take_money(order, by=None) == euros("52.90")
    deliver_outbox()

    assert_taken(order, "52.90")
    assert not Refund.objects.exists()
    intent = intent_of(simulator, order)
    assert (intent["amount_received"], intent["amount_capturable"]) == (5290, 0)
    assert "We have taken €52.90" in " ".join(mail.outbox[2].body.split())
    line = order.lines.get()
    assert (line.quantity, line.refunded_quantity) == (3, 1)
    sellers = LedgerEntry.objects.filter(account__in=("sellers", "tax", "delivery"))
    assert -sum(sellers.values_list("amount", flat=True)) == Decimal("52.90")


def test_after_a_partial_capture_the_rest_can_still_be_given_back(order: Order) -> None:
    take_out(order, 1)
    capturing.take_money(order, by=None)
    deliver_outbox()

    take_out(order, 1)
    deliver_outbox()

    order.refresh_from_db()
    assert order.payment_status == "partially_refunded"
    assert Refund.objects.get().amount == Decimal("24.00")
    assert refunding.get_owed(order) == euros("28.90")
    with pytest.raises(ActionNotAllowed):
        take_out(order, 2)


def test_the_shoppers_page_says_what_is_set_aside_and_what_was_taken_out(
    simulator: Simulator,
) -> None:
    shopper = Shopper()
    mug = VariantFactory(stock=5, price=Decimal("24.00"), product__title="Dune mug")
    order = authorise(simulator, shopper.buy(mug, quantity=2))

    page = shopper.see(order)
    assert "The amount is set aside on your card" in page
    assert "Set aside on your card" in page

    take_out(order, 1)
    capturing.take_money(order, by=None)
    deliver_outbox()
    page = shopper.see(order)

    assert "Taken out before you paid" in page
    assert "Partly refunded" not in page
    assert "It is paid" in page


def test_an_order_cannot_be_emptied_piece_by_piece(order: Order) -> None:
    line = order.lines.get()
    with pytest.raises(ActionNotAllowed, match="cancel the order instead"):
        refunding.refund(
            order,
            by=None,
            lines={line.pk: 3},
            with_shipping=True,
            restock=True,
            reason="",
            submit_key=str(uuid4()),
        )


def test_cancelled_before_the_capture_nothing_is_refunded(
    simulator: Simulator, order: Order
) -> None:
    cancellation.cancel(order, by=StaffFactory(), reason="Wrong glaze")
    deliver_outbox()

    order.refresh_from_db()
    attempt = attempt_of(order)
    assert (order.status, order.payment_status) == ("cancelled", "voided")
    assert (attempt.status, intent_of(simulator, order)["status"]) == ("cancelled", "canceled")
    assert on_shelf() == (5, 0)
    assert not Refund.objects.exists()
    assert not LedgerEntry.objects.exists()
    assert subjects()[1:] == [f"Order {order.number} is cancelled – Emporium"]
    assert "Nothing was charged." in mail.outbox[1].body
    with pytest.raises(ActionNotAllowed):
        capturing.take_money(order, by=None)


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "error_500_after"])
def test_a_capture_without_an_answer_is_found_out_and_done_once(
    simulator: Simulator, order: Order, kind: str
) -> None:
    capturing.take_money(order, by=None)
    simulator.add_fault("payment_intents.capture", kind, seconds=0.01)
    capture = Capture.objects.get()

    with pytest.raises(ProviderUnavailable):
        authorisations.take(capture.pk)
    capture.refresh_from_db()
    assert capture.status == "pending"
    with pytest.raises(ActionNotAllowed, match="being taken just now"):
        cancellation.cancel(order, by=StaffFactory(), reason="Too late")
    deliver_outbox()

    assert_taken(order)


def test_a_capture_whose_task_died_is_finished_by_the_sweep(
    simulator: Simulator, order: Order
) -> None:
    capturing.take_money(order, by=None)
    Capture.objects.update(created_at=Capture.objects.get().created_at - timedelta(minutes=6))

    expiry.sweep()

    assert_taken(order)
    deliver_outbox()


def test_a_capture_that_the_provider_refuses_is_shown_and_tried_anew(
    simulator: Simulator, order: Order
) -> None:
    attempt = attempt_of(order)
    capturing.take_money(order, by=None)
    intent = intent_of(simulator, order)
    simulator.provider.store.update(intent | {"amount_capturable": 100}, label=intent["status"])
    deliver_outbox()

    first = Capture.objects.get()
    assert (first.status, attempt_of(order).status) == ("failed", "authorised")
    assert "amount_too_large" in first.failure
    assert "could not be taken" in order.events.get(kind="capture_failed").message
    simulator.provider.store.update(intent, label=intent["status"])
    capturing.take_money(order, by=None)
    deliver_outbox()

    assert_taken(order)
    keys = Capture.objects.order_by("pk").values_list("key", flat=True)
    assert list(keys) == [f"{attempt.reference}:capture-1", f"{attempt.reference}:capture-2"]


def test_an_authorisation_that_lapsed_ends_the_order_and_says_so(
    simulator: Simulator, order: Order
) -> None:
    take_out(order, 1)
    simulator.lapse(session_of(order))
    for event in list_events(simulator, session_of(order)):
        post_event(event)
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "voided")
    assert attempt_of(order).status == "expired"
    assert on_shelf() == (5, 0)
    assert not LedgerEntry.objects.exists()
    assert not Refund.objects.exists()
    assert subjects()[-1] == f"Order {order.number} is cancelled – Emporium"
    assert "That is our fault" in mail.outbox[-1].body
    outcomes = dict(ProviderEvent.objects.values_list("type", "outcome"))
    assert outcomes["refund.created"] == "ignored: nothing had been taken, so nothing goes back"


def test_a_lapse_of_which_nobody_told_is_found_by_the_sweep(
    simulator: Simulator, order: Order
) -> None:
    simulator.lapse(session_of(order))
    PaymentAttempt.objects.update(authorised_until=order.created_at, asked_at=None)

    expiry.sweep()

    order.refresh_from_db()
    assert (order.status, attempt_of(order).status) == ("cancelled", "expired")
    deliver_outbox()


def test_a_lapse_while_the_money_is_being_taken_ends_both(
    simulator: Simulator, order: Order
) -> None:
    capturing.take_money(order, by=None)
    simulator.lapse(session_of(order))
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, attempt_of(order).status) == ("cancelled", "expired")
    capture = Capture.objects.get()
    assert (capture.status, capture.failure) == ("failed", "the authorisation is over")


def test_news_from_before_the_capture_comes_late_and_changes_nothing(
    simulator: Simulator, order: Order
) -> None:
    session = session_of(order)
    events = list_events(simulator, session)
    assert "payment_intent.amount_capturable_updated" in {event["type"] for event in events}
    capturing.take_money(order, by=None)
    deliver_outbox()

    for event in [*events, event_of(simulator, session, "charge.captured")]:
        post_event(event)
    deliver_outbox()

    assert_taken(order)
    assert subjects().count(f"Your order {order.number} – Emporium") == 1


def test_an_answer_from_before_a_cancellation_revives_nothing(
    simulator: Simulator, order: Order
) -> None:
    attempt = attempt_of(order)
    early = settlement._fetch(attempt, give_up=False)
    cancellation.cancel(order, by=StaffFactory(), reason="Wrong glaze")
    deliver_outbox()

    settlement._apply(attempt.pk, early)

    order.refresh_from_db()
    assert (attempt_of(order).status, order.status) == ("cancelled", "cancelled")
    deliver_outbox()


def test_all_of_it_captured_at_the_provider_itself_sends_the_surplus_back(
    simulator: Simulator, order: Order
) -> None:
    take_out(order, 1)
    holds.capture(simulator.provider, attempt_of(order).provider_payment_id, {})
    for event in list_events(simulator, session_of(order)):
        post_event(event)
    deliver_outbox()

    order.refresh_from_db()
    assert attempt_of(order).status == "captured"
    refund = Refund.objects.get()
    assert (refund.amount, refund.status) == (Decimal("24.00"), "succeeded")
    assert order.payment_status == "partially_refunded"


def test_another_amount_captured_at_the_provider_itself_is_held_for_staff(
    simulator: Simulator, order: Order
) -> None:
    payment_id = attempt_of(order).provider_payment_id
    holds.capture(simulator.provider, payment_id, {"amount_to_capture": 1000})
    payment.check(order, ended_too=True)

    order.refresh_from_db()
    assert (attempt_of(order).status, order.payment_status) == ("held", "authorized")
    cancellation.cancel(order, by=StaffFactory(), reason="Wrong amount")
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert Refund.objects.get().amount == Decimal("10.00")


def test_a_second_authorisation_is_let_go_of(simulator: Simulator, order: Order) -> None:
    other = place_order(VariantFactory(stock=1))
    payment.start(other)
    payments = order.payments.model.objects
    payments.filter(order=other).update(order=order)
    simulator.approve(PaymentAttempt.objects.latest("pk").provider_session_id)
    payment.check(order)
    deliver_outbox()

    first, second = PaymentAttempt.objects.order_by("pk")
    assert (first.status, second.status) == ("authorised", "cancelled")
    assert f"A payment for order {order.number} is not taken – Emporium" in subjects()
    payments.filter(attempt=second).update(order=other)


@pytest.mark.parametrize("left", [1, 0])
def test_late_it_places_the_order_only_if_everything_is_still_there(
    simulator: Simulator, left: int
) -> None:
    order = place_order(VariantFactory(stock=1))
    payment.start(order)
    PaymentAttempt.objects.update(status="expired", closed_at=order.created_at)
    Order.objects.update(expires_at=order.created_at)
    assert expiry._expire(order.pk)
    if not left:
        stock.set_on_hand(order.lines.get().variant, 0, actor=None, reason="Broken")
    pay(simulator, order)
    for event in list_events(simulator, session_of(order)):
        post_event(event)
    deliver_outbox()

    order.refresh_from_db()
    told = subjects()[0]
    if left:
        assert (order.status, attempt_of(order).status) == ("placed", "authorised")
        assert told == f"Your order {order.number} – Emporium"
    else:
        assert (order.status, attempt_of(order).status) == ("expired", "cancelled")
        assert told == f"A payment for order {order.number} is not taken – Emporium"


def test_a_confirmation_sent_again_does_not_claim_that_it_is_paid(order: Order) -> None:
    notices.send_confirmation_again(order, by=None)
    deliver_outbox()

    assert subjects() == [f"Your order {order.number} – Emporium"] * 2
    assert all("set aside" in message.body for message in mail.outbox)


def test_at_once_nothing_is_different(simulator: Simulator, settings: Any) -> None:
    settings.PAYMENT_CAPTURE = "at_once"
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    settings.PAYMENT_CAPTURE = "later"  # An attempt keeps what was decided with it.
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    deliver_outbox()

    order.refresh_from_db()
    assert (order.payment_status, attempt_of(order).status) == ("paid", "captured")
    assert intent_of(simulator, order)["capture_method"] == "automatic_async"


def test_paypal_takes_its_money_at_once_all_the_same(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3), provider="paypal")
    page = payment.start(order)
    httpx.post(page, data={"choice": "completed", "webhook": "never"})
    simulator.approve_order(session_of(order), webhook="never")
    payment.check(order)
    deliver_outbox()

    order.refresh_from_db()
    assert (order.payment_status, attempt_of(order).capture_later) == ("paid", False)
