"""Whatever moves money is booked once, balances, says whose the money is, and stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.db.models.deletion import ProtectedError

from orders.models import LedgerEntry, LedgerTransaction, Order, OrderRefund
from orders.services import cancellation, expiry, ledger, payment, refunding
from payments.models import PaymentAttempt, Refund
from payments.signals import refund_settled
from payments.simulator.refunds import send_back
from payments.simulator.running import Simulator
from shop import invariants
from shop.clock import now
from tests.factories.accounts import SellerFactory, StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay, session_in
from tests.outbox import deliver_outbox
from tests.payments.events import list_refund_events, post_event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator, settings: Any) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    yield
    simulator.provider.faults.clear()


@pytest.fixture
def order(simulator: Simulator) -> Order:
    """A paid order of 64.50: two mugs of Ada's, two bowls of Ben's, delivery."""
    ada, ben = SellerFactory(name="Ada"), SellerFactory(name="Ben")
    mug = VariantFactory(stock=5, price=Decimal("14.90"), product__seller=ada)
    bowl = VariantFactory(stock=5, price=Decimal("14.90"), product__seller=ben)
    order = place_order(mug, bowl, quantity=2)
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    deliver_outbox()
    order.refresh_from_db()
    return order


def balances(order: Order) -> dict[str, str]:
    """Return what stands on each account for an order, sellers by name."""
    rows = (
        LedgerEntry.objects.filter(transaction__order=order)
        .order_by()
        .values_list("account", "seller__name")
        .annotate(Sum("amount"))
    )
    return {
        f"{account} {seller or ''}".strip(): f"{amount:.2f}"
        for account, seller, amount in rows
        if amount
    }


def kinds(order: Order) -> list[str]:
    return list(order.ledger.values_list("kind", flat=True))


def give_back_one(order: Order, **options: Any) -> OrderRefund:
    line = order.lines.first()
    assert line is not None
    return refunding.refund(
        order,
        by=StaffFactory(),
        lines={line.pk: 1},
        restock=False,
        reason="Cracked",
        submit_key=str(uuid4()),
        **options,
    )


def test_a_paid_order_says_whose_its_money_is(order: Order) -> None:
    assert kinds(order) == ["capture", "placement"]
    assert balances(order) == {
        "provider:stripe": "64.50",
        "sellers Ada": "-25.04",
        "sellers Ben": "-25.04",
        "tax Ada": "-4.76",
        "tax Ben": "-4.76",
        "tax": "-0.78",
        "delivery": "-4.12",
    }


def test_pieces_that_go_back_are_taken_from_their_seller_and_the_tax(order: Order) -> None:
    give_back_one(order)

    assert balances(order)["refunds"] == "-14.90"
    deliver_outbox()

    assert kinds(order) == ["capture", "placement", "return", "sending", "refund"]
    assert balances(order) == {
        "provider:stripe": "49.60",
        "sellers Ada": "-12.52",
        "sellers Ben": "-25.04",
        "tax Ada": "-2.38",
        "tax Ben": "-4.76",
        "tax": "-0.78",
        "delivery": "-4.12",
    }


def test_a_cancelled_order_leaves_nothing_on_any_account(order: Order) -> None:
    cancellation.cancel(order, by=StaffFactory(), reason="Out of clay")
    deliver_outbox()

    assert balances(order) == {}


def test_money_that_comes_twice_is_on_no_sellers_account(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3, price=Decimal("24.00")))
    first = payment.start(order)
    PaymentAttempt.objects.update(expires_at=now() + timedelta(minutes=5), redirect_url="")
    second = payment.start(order)
    for url in (first, second):
        simulator.approve(session_in(url), webhook="never")

    payment.check(order)

    assert balances(order)["provider:stripe"] == "57.80"
    assert balances(order)["refunds"] == "-28.90"
    deliver_outbox()
    assert balances(order)["provider:stripe"] == "28.90"
    assert "refunds" not in balances(order)


def test_money_for_an_expired_order_waits_beside_the_shares_until_it_is_back(
    simulator: Simulator,
) -> None:
    mug = VariantFactory(stock=1)
    order = place_order(mug)
    payment.start(order)
    pay(simulator, order)
    PaymentAttempt.objects.update(status="expired")
    Order.objects.update(expires_at=now() - timedelta(minutes=1))
    expiry._expire(order.pk)
    place_order(mug)

    payment.check(order, ended_too=True)

    assert kinds(order) == ["capture", "sending"]
    assert balances(order) == {"provider:stripe": "28.90", "refunds": "-28.90"}


def test_a_refund_that_comes_back_is_owed_to_nobody_until_it_is_sent_again(
    simulator: Simulator, order: Order
) -> None:
    cancellation.cancel(order, by=StaffFactory(), reason="Out of clay")
    deliver_outbox()
    refund = Refund.objects.get()
    send_back(simulator.provider, refund.provider_id)
    for event in list_refund_events(simulator, refund.provider_id):
        post_event(event)
    deliver_outbox()

    assert balances(order) == {"provider:stripe": "64.50", "unapplied": "-64.50"}
    assert kinds(order)[-2:] == ["reversal", "sending_failed"]

    cancellation.send_money_back(order, by=StaffFactory())
    deliver_outbox()
    assert balances(order) == {}


def test_what_was_refunded_at_the_provider_is_taken_from_all_in_proportion(order: Order) -> None:
    attempt = attempt_of(order)
    with transaction.atomic():
        PaymentAttempt.objects.select_for_update().get(pk=attempt.pk)
        refund = Refund.objects.create(
            attempt=attempt, key="provider:re_9", amount=Decimal(10), currency="EUR", status="succeeded",
            provider_id="re_9",
        )  # fmt: skip
        attempt.transactions.create(
            kind="refund", amount=10, currency="EUR", provider="stripe", provider_id="re_9"
        )
        refund_settled.send(PaymentAttempt, attempt=attempt, refund=refund)

    order.refresh_from_db()
    assert order.payment_status == "partially_refunded"
    assert balances(order) == {
        "provider:stripe": "54.50",
        "sellers Ada": "-21.16",
        "sellers Ben": "-21.16",
        "tax Ada": "-4.02",
        "tax Ben": "-4.02",
        "tax": "-0.66",
        "delivery": "-3.48",
    }
    cancellation.cancel(order, by=StaffFactory(), reason="All of it")
    deliver_outbox()
    assert balances(order) == {}


def test_news_that_comes_again_is_booked_once(order: Order) -> None:
    attempt = attempt_of(order)

    with transaction.atomic():
        ledger.post_movements(attempt, order)

    assert kinds(order) == ["capture", "placement"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders_ledgerentry SET amount = amount + 1",
        "DELETE FROM orders_ledgerentry",
        "UPDATE orders_ledgertransaction SET created_at = now()",
        "UPDATE orders_ledgertransaction SET reason = 'another'",
        "DELETE FROM orders_ledgertransaction",
    ],
)
def test_the_database_lets_nobody_change_what_is_booked(order: Order, statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="the ledger is append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_forgetting_a_person_empties_who_and_why_and_changes_no_sum(order: Order) -> None:
    give_back_one(order)
    deliver_outbox()
    before = balances(order)
    booked = LedgerTransaction.objects.get(kind="return")
    assert (booked.actor is not None, booked.reason) == (True, "Cracked")

    booked.actor.delete()
    LedgerTransaction.objects.filter(pk=booked.pk).update(reason="")

    booked.refresh_from_db()
    assert (booked.actor, booked.reason) == (None, "")
    assert balances(order) == before


def test_an_order_that_is_in_the_books_cannot_be_deleted(order: Order) -> None:
    with pytest.raises(ProtectedError):
        order.delete()


@pytest.mark.django_db(transaction=True)
def test_what_does_not_sum_to_zero_cannot_be_committed(order: Order) -> None:
    def book_one_side() -> None:
        with transaction.atomic():
            row = LedgerTransaction.objects.create(kind="capture", key="x", currency="EUR")
            LedgerEntry.objects.create(transaction=row, account="unapplied", amount=Decimal(5))

    with pytest.raises(IntegrityError, match="is off by 5"):
        book_one_side()

    assert not LedgerTransaction.objects.filter(key="x").exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_added_to_a_transaction_that_balances(order: Order) -> None:
    row = LedgerTransaction.objects.get(kind="capture")

    with pytest.raises(IntegrityError, match="is off by 5"), transaction.atomic():
        LedgerEntry.objects.create(transaction=row, account="delivery", amount=Decimal(5))


@pytest.mark.django_db(transaction=True)
def test_a_shop_from_before_the_ledger_balances_after_its_migration(
    simulator: Simulator, order: Order
) -> None:
    bought = place_order(VariantFactory(stock=2, price=Decimal("10.00")), quantity=2)
    payment.start(bought)
    pay(simulator, bought)
    payment.check(bought)
    cancellation.cancel(bought, by=StaffFactory(), reason="Out of clay")
    deliver_outbox()
    place_order(VariantFactory(stock=2))
    before = balances(order)
    with connection.cursor() as cursor:  # As it was when there was no ledger.
        cursor.execute(
            "TRUNCATE orders_ledgerentry, orders_ledgertransaction, orders_orderrefundpayment, "
            "orders_orderrefundline, orders_orderrefund"
        )
        cursor.execute("UPDATE orders_orderline SET refunded_quantity = 0")
    assert {"I6", "I12"} <= {each.id for each in invariants.find_violations()}

    migration = import_module("orders.migrations.0005_post_what_was")
    with connection.schema_editor(atomic=False) as editor:
        for _again in range(2):
            migration.post(None, editor)

    assert invariants.find_violations() == []
    assert balances(order) == before
    assert balances(bought) == {}
    assert kinds(bought) == ["capture", "refund", "placement", "return", "sending"]
    assert bought.refunds.get().lines.get().restocked == 2


@contextmanager
def unguarded_ledger() -> Iterator[Any]:
    """Let the ledger be changed, as nobody may."""
    tables = ("orders_ledgerentry", "orders_ledgertransaction")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield cursor
        finally:
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.mark.django_db(transaction=True)
def test_what_an_older_release_did_meanwhile_is_noticed_and_booked_by_a_command(
    simulator: Simulator, order: Order, capsys: pytest.CaptureFixture[str]
) -> None:
    booked_in_time = place_order(VariantFactory(stock=2, price=Decimal("10.00")))
    payment.start(booked_in_time)
    pay(simulator, booked_in_time)
    payment.check(booked_in_time)
    deliver_outbox()
    before = balances(order), balances(booked_in_time)
    with unguarded_ledger() as cursor:  # As an old release leaves an order that it placed.
        of_the_order = "(SELECT id FROM orders_ledgertransaction WHERE order_id = %s)"
        cursor.execute(
            f"DELETE FROM orders_ledgerentry WHERE transaction_id IN {of_the_order}", [order.pk]
        )
        cursor.execute("DELETE FROM orders_ledgertransaction WHERE order_id = %s", [order.pk])
    assert {"I6", "I12"} <= {each.id for each in invariants.find_violations()}

    for _again in range(2):
        call_command("post_ledger")

    assert capsys.readouterr().out == "2 transactions were booked.\nAll was booked.\n"
    assert (balances(order), balances(booked_in_time)) == before


@pytest.mark.django_db(transaction=True)
def test_books_that_booking_cannot_mend_are_said_to_be_wrong(order: Order) -> None:
    entry = LedgerEntry.objects.filter(transaction__kind="placement", account="delivery").get()
    other = LedgerEntry.objects.filter(transaction__kind="placement", account="unapplied").get()

    def move(amount: Decimal) -> None:
        with unguarded_ledger() as cursor:
            cursor.execute(
                "UPDATE orders_ledgerentry SET amount = amount + CASE id WHEN %s THEN %s ELSE %s "
                "END WHERE id IN (%s, %s)",
                [entry.pk, amount, -amount, entry.pk, other.pk],
            )

    move(Decimal(1))
    try:
        with pytest.raises(CommandError, match="do not add up"):
            call_command("post_ledger")
    finally:
        move(Decimal(-1))
