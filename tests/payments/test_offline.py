"""Payment without a provider: the page and the mail say how, staff settle it, the same rules hold."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.utils.timezone import localdate

from accounts.models import User
from catalog.models import ProductVariant, StockLevel
from catalog.services import stock
from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.queries import get_order_view, list_refunds
from orders.services import cancellation, expiry, offline, payment, refunding
from payments.errors import ForgedEvent
from payments.gateways import get_gateway
from payments.methods import get_deadline
from payments.models import OfflineMovement, PaymentAttempt, PaymentTransaction, Refund
from payments.services import inbox, refunds, settlement
from payments.simulator.running import Simulator
from shop.clock import now
from shop.money import Money
from shop.transactions import TransactionRuleBroken
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery, place_order
from tests.journeys.shopper import Shopper, attempt_of, words_of
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_shop_with_an_account(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.SHOP_OFFLINE_PAYMENT, settings.SHOP_OFFLINE_DAYS = "transfer", 7
    settings.SHOP_OFFLINE_DETAILS = "Mugs & Co; IBAN DE89 3704 0044 0532 0130 00; Sea Bank"


@pytest.fixture
def staff() -> User:
    return StaffFactory()


def place() -> Order:
    """Place an order over 28.90 euros that is to be paid by transfer."""
    order = place_order(
        VariantFactory(stock=3, price=Decimal("12.00")), quantity=2, provider="offline"
    )
    assert order.total == Decimal("28.90")
    payment.start(order)
    return order


def receive(order: Order, staff: User, amount: str = "28.90", **told: Any) -> bool:
    return offline.book_receipt(
        order,
        amount=Money(Decimal(amount), "EUR"),
        received_on=told.get("received_on", localdate()),
        bank_reference=told.get("bank_reference", "SEPA 4711"),
        by=staff,
    )


def statuses(order: Order) -> tuple[str, str]:
    order.refresh_from_db()
    return order.status, order.payment_status


def shelf() -> tuple[int, int]:
    level = StockLevel.objects.get()
    return level.on_hand, level.allocated


def let_time_pass(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(expires_at=now() - timedelta(seconds=1))


def test_whoever_chooses_the_transfer_is_shown_the_account_and_told_by_mail(
    simulator: Simulator,
) -> None:
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory(stock=3, price=Decimal("24.00")))

    answer = shopper.place(payment_method="offline")
    order = Order.objects.get()
    deliver_outbox()

    assert answer.url == f"/orders/{order.number}/"
    page = shopper.see(order)
    for words in ("Waiting for your transfer", "Mugs &amp; Co", "IBAN DE89 3704 0044 0532 0130 00"):
        assert words in page
    assert order.expires_at == attempt_of(order).expires_at
    assert order.expires_at == get_deadline("offline", since=order.created_at)
    [told] = mail.outbox
    assert told.subject == f"How to pay for order {order.number} – Emporium"
    for words in (
        "Bank transfer: €28.90",
        "Mugs & Co\nIBAN DE89 3704 0044 0532 0130 00\nSea Bank",
        f"Reference: {order.number}",
        "Payment: Not paid yet, Bank transfer",
    ):
        assert words in told.body
    assert order.status == "pending"


def test_on_pick_up_the_page_and_the_mail_say_where_to_come(
    simulator: Simulator, settings: Any
) -> None:
    settings.SHOP_OFFLINE_PAYMENT, settings.SHOP_OFFLINE_DETAILS = "pick-up", "1 Quay; 9 to 6"
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory(stock=3))

    shopper.place(payment_method="offline")
    order = Order.objects.get()
    deliver_outbox()

    page = shopper.see(order)
    assert "You pay when you fetch it." in page
    assert "1 Quay<br>9 to 6" in page
    assert "1 Quay\n9 to 6" in mail.outbox[0].body


def test_no_mail_is_added_for_a_card(simulator: Simulator) -> None:
    payment.start(place_order(VariantFactory(stock=3)))

    deliver_outbox()

    assert mail.outbox == []


def test_the_money_has_come_and_the_order_is_placed(staff: User) -> None:
    order = place()

    assert receive(order, staff)
    deliver_outbox()

    assert statuses(order) == ("placed", "paid")
    assert shelf() == (1, 0)
    booked = PaymentTransaction.objects.get()
    assert (booked.kind, booked.amount, booked.provider) == ("capture", Decimal("28.90"), "offline")
    written = OfflineMovement.objects.get()
    assert (written.bank_reference, written.recorded_by) == ("SEPA 4711", staff)
    assert [event.actor for event in order.events.filter(kind="money_came")] == [staff]
    [confirmation] = [each for each in mail.outbox if "Your order" in each.subject]
    assert "Payment: Paid, Bank transfer" in confirmation.body


def test_money_that_came_before_the_page_was_opened_counts_too(staff: User) -> None:
    order = place_order(VariantFactory(stock=3, price=Decimal("24.00")), provider="offline")
    assert attempt_of(order).provider_session_id == ""

    receive(order, staff)

    assert statuses(order) == ("placed", "paid")


def test_written_down_twice_counts_once(staff: User) -> None:
    order = place()

    assert receive(order, staff)
    with pytest.raises(ActionNotAllowed):
        receive(order, staff)

    assert PaymentTransaction.objects.count() == OfflineMovement.objects.count() == 1


@pytest.mark.parametrize("amount", ["28.89", "28.91", "0.01", "100"])
def test_another_amount_is_held_and_goes_back_when_staff_say_so(staff: User, amount: str) -> None:
    order = place()

    receive(order, staff, amount)
    held = statuses(order)
    still_promised = shelf()
    cancellation.send_money_back(order, by=staff)
    deliver_outbox()

    assert held == ("pending", "pending")
    assert still_promised == (3, 2)
    assert attempt_of(order).status == "held"
    refund = Refund.objects.get()
    assert (refund.status, refund.amount) == ("pending", Decimal(amount))


def test_a_crash_after_writing_it_down_is_mended_by_the_sweep(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place()
    with monkeypatch.context() as patch:
        patch.setattr(settlement, "_apply", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            receive(order, staff)
    assert statuses(order) == ("pending", "pending")

    expiry.sweep()

    assert statuses(order) == ("placed", "paid")


def test_a_late_transfer_and_a_crash_are_mended_by_the_sweep(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place()
    PaymentAttempt.objects.update(expires_at=now() - timedelta(minutes=1))
    let_time_pass(order)
    assert expiry.sweep() == 1
    with monkeypatch.context() as patch:
        patch.setattr(settlement, "_apply", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            receive(order, staff)

    expiry.sweep()

    assert statuses(order) == ("placed", "paid")


def test_the_sweep_leaves_a_transfer_its_days_and_ends_it_after_them() -> None:
    order = place()

    Order.objects.update(created_at=now() - timedelta(days=6))
    assert expiry.sweep() == 0
    assert (statuses(order), shelf()) == (("pending", "pending"), (3, 2))
    let_time_pass(order)
    assert expiry.sweep() == 1

    assert (statuses(order), shelf()) == (("expired", "voided"), (3, 0))
    assert attempt_of(order).status == "expired"
    assert expiry.sweep() == 0


def test_the_sweep_does_not_ask_for_days_about_what_only_staff_can_tell() -> None:
    order = place()
    expiry.sweep()
    long_ago = now() - timedelta(days=3)
    PaymentAttempt.objects.update(asked_at=long_ago, checked_at=long_ago)

    expiry.sweep()

    assert attempt_of(order).asked_at == long_ago


def test_a_transfer_of_the_last_day_wins_over_expiry(staff: User) -> None:
    order = place()
    let_time_pass(order)

    receive(order, staff)

    assert expiry.sweep() == 0
    assert statuses(order) == ("placed", "paid")


def test_a_transfer_after_the_end_is_welcome_while_the_pieces_are_there(staff: User) -> None:
    order = place()
    let_time_pass(order)
    expiry.sweep()

    receive(order, staff)

    assert (statuses(order), shelf()) == (("placed", "paid"), (1, 0))


def test_a_transfer_after_the_last_piece_went_is_to_be_sent_back(staff: User) -> None:
    order = place()
    let_time_pass(order)
    expiry.sweep()
    with transaction.atomic():
        stock.count(ProductVariant.objects.get(), 1, reason="somebody else was faster")

    receive(order, staff)
    deliver_outbox()

    assert statuses(order) == ("expired", "voided")
    assert Refund.objects.get().status == "pending"
    assert "Your payment came too late" in mail.outbox[-1].body


def test_a_transfer_for_an_order_that_was_given_up_is_to_be_sent_back(staff: User) -> None:
    order = place()
    cancellation.cancel_unpaid(order, by=None)

    receive(order, staff)

    assert statuses(order) == ("cancelled", "voided")
    assert Refund.objects.get().amount == Decimal("28.90")


def test_a_refund_is_on_its_way_until_staff_say_that_they_sent_it(staff: User) -> None:
    order = place()
    receive(order, staff)
    cancellation.cancel(order, by=staff, reason="Cracked")
    deliver_outbox()
    refund = Refund.objects.get()
    assert (refund.status, statuses(order)) == ("pending", ("cancelled", "paid"))
    Refund.objects.update(created_at=now() - timedelta(days=2))
    expiry.sweep()
    assert Refund.objects.get().status == "pending"

    wrote = [
        offline.book_payout(refund, sent_on=localdate(), bank_reference="SEPA 9", by=staff)
        for _ in range(2)
    ]

    assert wrote == [True, False]
    assert Refund.objects.get().status == "succeeded"
    assert statuses(order) == ("cancelled", "refunded")
    assert PaymentTransaction.objects.filter(kind="refund").get().amount == Decimal("28.90")
    assert order.events.filter(kind="money_sent").count() == 1


def test_a_refund_that_was_sent_before_its_task_ran_counts_once(staff: User) -> None:
    order = place()
    receive(order, staff)
    cancellation.cancel(order, by=staff, reason="Cracked")

    offline.book_payout(Refund.objects.get(), sent_on=localdate(), bank_reference="", by=staff)
    deliver_outbox()

    assert statuses(order) == ("cancelled", "refunded")
    assert PaymentTransaction.objects.filter(kind="refund").count() == 1
    assert refunds.check(Refund.objects.get().pk).status == "succeeded"


def test_how_to_pay_is_told_to_nobody_who_has_paid(staff: User) -> None:
    order = place()
    receive(order, staff)

    deliver_outbox()

    assert [each.subject for each in mail.outbox] == [f"Your order {order.number} – Emporium"]


def test_only_what_is_paid_offline_can_be_written_down(simulator: Simulator, staff: User) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)

    with pytest.raises(ActionNotAllowed):
        receive(order, staff)

    assert not OfflineMovement.objects.exists()


def test_nobody_can_tell_an_event_about_it() -> None:
    with pytest.raises(ForgedEvent):
        get_gateway("offline").verify_event(body=b"{}", headers={})
    with pytest.raises(ForgedEvent):
        inbox.receive("offline", body=b"{}", headers={})


def test_it_keeps_the_rule_of_all_gateways_and_refuses_inside_a_transaction() -> None:
    gateway = get_gateway("offline")
    for call in (
        lambda: gateway.fetch(session_id="pay_1"),
        lambda: gateway.expire(session_id="pay_1"),
        lambda: gateway.fetch_refund(refund_id="pay_1:return"),
    ):
        with transaction.atomic(), pytest.raises(TransactionRuleBroken):
            call()


def test_a_shopper_may_look_again_and_again_and_is_never_told_that_it_is_confirmed(
    simulator: Simulator,
) -> None:
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory(stock=3))
    shopper.place(payment_method="offline")
    order = Order.objects.get()

    page = shopper.come_back(order)

    assert "Waiting for your transfer" in page
    assert "Confirming your payment" not in page
    assert "Bank transfer" in words_of(shopper.client.get(f"/orders/{order.number}/status/"))


def late_order(staff: User) -> Order:
    """Let a transfer come when the time was over and the last piece had gone to somebody else."""
    order = place()
    let_time_pass(order)
    expiry.sweep()
    with transaction.atomic():
        stock.count(ProductVariant.objects.get(), 1, reason="somebody else was faster")
    receive(order, staff)
    deliver_outbox()
    order.refresh_from_db()
    return order


def test_late_money_is_called_sent_only_when_staff_have_sent_it(
    simulator: Simulator, staff: User
) -> None:
    order = late_order(staff)

    told = " ".join(mail.outbox[-1].body.split())
    waiting = get_order_view(order)
    offline.book_payout(Refund.objects.get(), sent_on=localdate(), bank_reference="", by=staff)
    deliver_outbox()

    assert f"Your payment for order {order.number} came too late" in mail.outbox[-2].subject
    assert "We send your money back by hand" in told
    assert "You get a mail as soon as it has left." in told
    assert "have sent" not in told
    assert waiting.headline == "This order was not paid in time"
    assert waiting.explanation == (
        "We send your money back by hand. You get a mail as soon as it has left."
    )
    assert waiting.payment_label == "Going back to you"
    assert mail.outbox[-1].subject.startswith(f"We refunded €28.90 of order {order.number}")
    assert "We have sent €28.90" in mail.outbox[-1].body


def test_a_cancelled_order_paid_by_transfer_says_who_sends_the_money(
    simulator: Simulator, staff: User
) -> None:
    order = place()
    receive(order, staff)
    cancellation.cancel(order, by=staff, reason="Cracked")
    deliver_outbox()
    order.refresh_from_db()
    waiting = get_order_view(order)

    refund = Refund.objects.get()
    for _ in range(2):
        offline.book_payout(refund, sent_on=localdate(), bank_reference="", by=staff)
    deliver_outbox()

    told = [" ".join(each.body.split()) for each in mail.outbox]
    assert "We send your money back by hand" in told[-2]
    assert "We send your money back by hand." in waiting.explanation
    assert [row.is_by_hand for row in waiting.refunds] == [True]
    assert mail.outbox[-1].subject.startswith("We refunded €28.90")
    assert len([each for each in mail.outbox if "We refunded" in each.subject]) == 1


def test_a_piece_given_back_waits_for_staff_and_is_told_once(
    simulator: Simulator, staff: User
) -> None:
    order = place()
    receive(order, staff)
    order.refresh_from_db()
    line = order.lines.get()
    refunding.refund(
        order, by=staff, lines={line.pk: 1}, restock=False, reason="", submit_key="once"
    )
    deliver_outbox()
    [waiting] = list_refunds(order)

    offline.book_payout(Refund.objects.get(), sent_on=localdate(), bank_reference="", by=staff)
    deliver_outbox()

    [sent] = list_refunds(order)
    assert (waiting.is_sent, waiting.is_by_hand) == (False, True)
    assert (sent.is_sent, sent.is_by_hand) == (True, False)
    assert len([each for each in mail.outbox if "We refunded" in each.subject]) == 1
