"""Every invariant notices when its numbers are made to drift."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from orders.models import Order, Shipment, ShipmentLine
from orders.services import payment
from payments.models import Capture, PaymentAttempt, PaymentTransaction, ProviderEvent, Refund
from payments.simulator.running import Simulator
from shop import invariants
from shop.clock import now
from shop.models import Mail
from tests.factories.catalog import (
    CategoryFactory,
    ImageAssetFactory,
    OptionValueFactory,
    ReviewFactory,
    VariantFactory,
)
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(simulator: Simulator) -> Order:
    order = place_order(VariantFactory(stock=3), quantity=2)
    payment.start(order)
    pay(simulator, order)
    payment.check(order)
    deliver_outbox()
    return order


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def too_big_a_refund(order: Order) -> None:
    attempt = attempt_of(order)
    Refund.objects.create(attempt=attempt, key="x", amount=Decimal("99"), currency="EUR")


def money_that_belongs_to_nobody(order: Order) -> None:
    attempt = PaymentAttempt.objects.create(
        reference="lost", provider="stripe", amount=5, currency="EUR", expires_at=now()
    )
    PaymentTransaction.objects.create(
        attempt=attempt, kind="capture", amount=5, currency="EUR", provider="stripe",
        provider_id="lost",
    )  # fmt: skip
    PaymentAttempt.objects.filter(pk=attempt.pk).update(status="captured")


def a_movement_that_is_not_booked(order: Order) -> None:
    PaymentTransaction.objects.create(
        attempt=attempt_of(order), kind="refund", amount=5, currency="EUR", provider="stripe",
        provider_id="re_1",
    )  # fmt: skip


def a_refund_without_a_transaction(order: Order) -> None:
    Refund.objects.create(
        attempt=attempt_of(order), key="x", amount=1, currency="EUR", status="succeeded",
        provider_id="re_1",
    )  # fmt: skip


def a_confirmation_of_an_unpaid_order(order: Order) -> None:
    unpaid = place_order(VariantFactory())
    Mail.objects.create(
        kind="orders.confirmation", reference=unpaid.number, recipient="a@example.com",
        subject="x", text="x", language="en",
    )  # fmt: skip


def a_parcel_with_too_much(order: Order) -> None:
    part = order.seller_orders.get()
    ShipmentLine.objects.create(
        shipment=Shipment.objects.create(seller_order=part, carrier="DHL"),
        order_line=order.lines.get(),
        quantity=3,
    )


def an_event_without_an_outcome(order: Order) -> None:
    ProviderEvent.objects.create(
        provider="stripe", event_id="evt_1", type="x", payload={}, processed_at=now()
    )


def money_back_from_a_dispute_that_took_none(order: Order) -> None:
    PaymentTransaction.objects.create(
        attempt=attempt_of(order), kind="dispute_won", amount=5, currency="EUR", provider="stripe",
        provider_id="dp_1",
    )  # fmt: skip


def a_refund_under_another_number(order: Order) -> None:
    Refund.objects.create(
        attempt=attempt_of(order), key="provider:re_1", amount=1, currency="EUR",
        provider_id="re_2",
    )  # fmt: skip


def a_capture_of_more_than_was_set_aside(order: Order) -> None:
    attempt = attempt_of(order)
    Capture.objects.create(attempt=attempt, key="x", amount=attempt.amount + 1, currency="EUR")


def a_category_in_the_wrong_place(order: Order) -> None:
    CategoryFactory(path="nowhere/at-all")


def a_variant_with_a_value_of_another_product(order: Order) -> None:
    VariantFactory(values=[OptionValueFactory()])


def a_picture_without_renditions(order: Order) -> None:
    ImageAssetFactory(renditions={"avif": [400]})


def a_rating_that_no_review_gave(order: Order) -> None:
    product = ReviewFactory(stars=4).product
    sql(f"UPDATE catalog_product SET rating = 5 WHERE id = {product.pk}")


def a_vote_that_nobody_gave(order: Order) -> None:
    review = ReviewFactory()
    sql(f"UPDATE catalog_review SET helpful_count = 3 WHERE id = {review.pk}")


DRIFTS = [
    ("C1", "UPDATE catalog_product SET price_from = price_from - 1"),
    ("C2", a_category_in_the_wrong_place),
    ("C3", a_variant_with_a_value_of_another_product),
    ("C4", a_picture_without_renditions),
    ("C5", a_rating_that_no_review_gave),
    ("C6", a_vote_that_nobody_gave),
    ("I1", "UPDATE orders_orderline SET unit_price = unit_price + 1"),
    ("I2", too_big_a_refund),
    ("I3", money_that_belongs_to_nobody),
    ("I4", "UPDATE orders_order SET status = 'pending', payment_status = 'pending'"),
    ("I5", "UPDATE payments_paymenttransaction SET amount = amount - 1"),
    ("I6", a_movement_that_is_not_booked),
    ("I7", a_refund_without_a_transaction),
    ("I9", "UPDATE orders_taxline SET tax = tax + 0.01"),
    ("I12", "UPDATE orders_sellerorder SET items_total = items_total - 1"),
    ("I13", "UPDATE catalog_stocklevel SET on_hand = on_hand + 1"),
    ("I14", "UPDATE catalog_stocklevel SET allocated = allocated + 1"),
    ("I16", "UPDATE catalog_stockmovement SET reference = 'nobody' WHERE kind = 'sale'"),
    ("I19", "UPDATE orders_order SET payment_status = 'voided'"),
    ("I21", an_event_without_an_outcome),
    ("I22", "UPDATE shop_outboxmessage SET done_at = NULL, available_at = '2026-01-01'"),
    ("I24", "DELETE FROM shop_mail"),
    ("I23", a_confirmation_of_an_unpaid_order),
    ("P1", money_back_from_a_dispute_that_took_none),
    ("P2", a_refund_under_another_number),
    ("P3", a_capture_of_more_than_was_set_aside),
    ("S1", a_parcel_with_too_much),
    ("S2", "UPDATE orders_orderline SET refunded_quantity = 1"),
    ("S3", "UPDATE orders_order SET payment_status = 'authorized'"),
]


@pytest.mark.breaks_invariants
@pytest.mark.parametrize(("name", "drift"), DRIFTS, ids=[name for name, _ in DRIFTS])
def test_a_drift_is_noticed(paid: Order, name: str, drift: Any) -> None:
    assert invariants.find_violations() == []

    sql(drift) if isinstance(drift, str) else drift(paid)

    assert name in {violation.id for violation in invariants.find_violations()}


def test_every_invariant_is_shown_to_notice_something() -> None:
    shown = {name for name, _ in DRIFTS}

    assert {invariant.id for invariant in invariants.list_invariants()} == shown


def test_the_command_is_content_with_numbers_that_add_up(paid: Order, capsys: Any) -> None:
    call_command("check_invariants")

    assert "invariants hold." in capsys.readouterr().out


@pytest.mark.breaks_invariants
def test_the_command_fails_and_names_what_does_not_add_up(paid: Order, capsys: Any) -> None:
    sql("UPDATE catalog_stocklevel SET on_hand = on_hand + 1")

    with pytest.raises(CommandError, match="1 violations"):
        call_command("check_invariants", "--json")

    (violation,) = json.loads(capsys.readouterr().out)
    assert violation["id"] == "I13"


def test_the_counts_are_written_for_prometheus(paid: Order, tmp_path: Path) -> None:
    file = tmp_path / "shop.prom"
    call_command("check_invariants", metrics=file)
    assert 'shop_invariant_violations{id="I12"} 0\n' in file.read_text()

    sql("UPDATE orders_sellerorder SET items_total = items_total + 1")
    with pytest.raises(CommandError):
        call_command("check_invariants", metrics=file)

    written = file.read_text()
    assert 'shop_invariant_violations{id="I12"} 1\n' in written
    for invariant in invariants.list_invariants():
        assert f'shop_invariant_check_seconds{{id="{invariant.id}"}} ' in written
    assert "\nshop_invariants_checked_at 1" in written
    assert list(tmp_path.iterdir()) == [file]
    sql("UPDATE orders_sellerorder SET items_total = items_total - 1")
