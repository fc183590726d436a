"""Paying by PayPal: approved there, taken by us once, and never after we gave up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import cancellation, expiry, payment
from payments.errors import ProviderRefused, ProviderUnavailable
from payments.gateways import get_gateway
from payments.gateways import paypal as gateway_module
from payments.gateways.paypal_amounts import from_paypal, to_paypal
from payments.models import PaymentAttempt, PaymentTransaction, ProviderEvent
from payments.services import settlement
from payments.simulator import paypal_orders
from payments.simulator.running import Simulator
from shop.clock import now
from shop.money import Money
from shop.transactions import TransactionRuleBroken
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.journeys.shopper import Shopper, attempt_of, session_of
from tests.outbox import deliver_outbox
from tests.payments.paypal import (
    CAPTURE,
    CREATE,
    READ,
    captures_of,
    events_of,
    list_kept,
    order_to_pay,
    paid_order,
    post_event,
    started_order,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator, settings: Any) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    yield
    simulator.provider.faults.clear()


@pytest.fixture
def order(simulator: Simulator) -> Order:
    """An order of two mugs, 52.90 euros, whose PayPal page is open."""
    return started_order()


def approve(simulator: Simulator, order: Order, **how: Any) -> None:
    simulator.approve_order(session_of(order), webhook="never", **how)


def assert_paid_once(simulator: Simulator, order: Order) -> None:
    deliver_outbox()
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("placed", "paid")
    assert attempt_of(order).status == "captured"
    assert attempt_of(order).capture_asked_at is None
    assert captures_of(simulator, order) == ["COMPLETED"]
    assert list(PaymentTransaction.objects.values_list("kind", "amount", "currency")) == [
        ("capture", Decimal("52.9000"), "EUR")
    ]


def test_the_shopper_is_sent_to_paypal_with_everything_that_is_to_be_paid(
    simulator: Simulator,
) -> None:
    order = order_to_pay()

    page = payment.start(order)

    kept = paypal_orders.get_order(simulator.provider, session_of(order))
    reference = attempt_of(order).reference
    assert page == f"{simulator.url}/checkoutnow?token={kept['id']}"
    assert kept["unit"]["amount"] == {
        "currency_code": "EUR",
        "value": "52.90",
        "breakdown": {"item_total": {"currency_code": "EUR", "value": "52.90"}},
    }
    assert [each["unit_amount"]["value"] for each in kept["unit"]["items"]] == ["48.00", "4.90"]
    assert (kept["unit"]["custom_id"], kept["unit"]["invoice_id"]) == (reference, reference)
    assert f"/orders/{order.number}/returned/" in kept["context"]["return_url"]


def test_starting_twice_gives_one_order(simulator: Simulator) -> None:
    order = order_to_pay()
    before = len(list_kept(simulator, paypal_orders.ORDER))

    first = payment.start(order)
    PaymentAttempt.objects.update(redirect_url="")
    second = payment.start(order)

    assert first == second
    assert len(list_kept(simulator, paypal_orders.ORDER)) == before + 1


@pytest.mark.parametrize("kind", ["timeout_after", "error_500_after", "cut_body", "bad_json"])
def test_an_answer_that_is_lost_at_the_start_does_not_make_a_second_order(
    simulator: Simulator, kind: str
) -> None:
    order = order_to_pay()
    before = len(list_kept(simulator, paypal_orders.ORDER))
    simulator.add_fault(CREATE, kind, seconds=0)

    with pytest.raises(ProviderUnavailable):
        payment.start(order)
    payment.start(order)

    assert len(list_kept(simulator, paypal_orders.ORDER)) == before + 1


def test_the_shopper_comes_back_and_the_money_is_taken(simulator: Simulator) -> None:
    make_delivery()
    shopper = Shopper()
    order = shopper.buy(VariantFactory(stock=3), quantity=2)
    PaymentAttempt.objects.update(provider="paypal", provider_session_id="", redirect_url="")
    payment.start(order)
    approve(simulator, order)

    assert "Thank you for your order" in shopper.come_back(order)
    assert_paid_once(simulator, order)


def test_nothing_is_taken_before_the_shopper_agreed(simulator: Simulator, order: Order) -> None:
    payment.check(order)

    assert attempt_of(order).status == "started"
    assert captures_of(simulator, order) == []


def test_the_news_of_the_approval_takes_the_money_without_the_shopper_coming_back(
    simulator: Simulator, order: Order
) -> None:
    approve(simulator, order)
    [told] = events_of(simulator, "CHECKOUT.ORDER.APPROVED", session_of(order))

    assert post_event(simulator, told).status_code == 200

    assert_paid_once(simulator, order)
    assert ProviderEvent.objects.get().outcome == "attempt is captured"


def test_the_sweep_takes_the_money_when_nobody_tells_anything(
    simulator: Simulator, order: Order
) -> None:
    approve(simulator, order)

    expiry.sweep()

    assert_paid_once(simulator, order)


def test_settling_again_and_again_takes_the_money_once(simulator: Simulator, order: Order) -> None:
    approve(simulator, order)

    for _time in range(3):
        settlement.settle(attempt_of(order).pk)
    for kind in ("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"):
        for told in events_of(simulator, kind, session_of(order)):
            post_event(simulator, told)

    assert_paid_once(simulator, order)
    assert ProviderEvent.objects.count() == 2


@pytest.mark.parametrize("kind", ["timeout_after", "error_500_after", "cut_body", "bad_json"])
def test_money_whose_taking_was_not_answered_is_found_and_not_taken_again(
    simulator: Simulator, order: Order, kind: str
) -> None:
    approve(simulator, order)
    simulator.add_fault(CAPTURE, kind, seconds=0)

    with pytest.raises(ProviderUnavailable):
        payment.check(order)
    attempt = attempt_of(order)
    assert attempt.status == "processing"
    assert attempt.capture_asked_at is not None
    payment.check(order)

    assert_paid_once(simulator, order)


@pytest.mark.parametrize("kind", ["timeout_before", "error_500_before", "status_409", "status_429"])
def test_money_that_was_not_taken_the_first_time_is_taken_the_next(
    simulator: Simulator, order: Order, kind: str
) -> None:
    approve(simulator, order)
    simulator.add_fault(CAPTURE, kind, seconds=0)

    with pytest.raises(ProviderUnavailable):
        payment.check(order)
    payment.check(order)

    assert_paid_once(simulator, order)


def test_a_capture_that_another_process_made_is_read_and_not_refused(
    simulator: Simulator, order: Order
) -> None:
    approve(simulator, order)
    paypal_orders.capture(simulator.provider, session_of(order))

    state = get_gateway("paypal").capture(session_id=session_of(order), key="another")

    assert (state.status.value, state.captured) == ("paid", Money(Decimal("52.90"), "EUR"))


def test_an_account_that_is_empty_ends_the_attempt_and_the_shopper_pays_with_a_new_one(
    simulator: Simulator, order: Order
) -> None:
    approve(simulator, order, outcome="declined")

    payment.check(order)
    declined = attempt_of(order)
    payment.start(order)
    approve(simulator, order)
    payment.check(order)

    assert declined.status == "failed"
    assert declined.failure.startswith("INSTRUMENT_DECLINED: ")
    assert attempt_of(order).pk != declined.pk
    assert_paid_once(simulator, order)


def test_an_attempt_that_was_declined_is_not_captured_when_its_page_is_approved_again(
    simulator: Simulator, order: Order
) -> None:
    approve(simulator, order, outcome="declined")
    payment.check(order)
    approve(simulator, order)

    [*_, told] = events_of(simulator, "CHECKOUT.ORDER.APPROVED", session_of(order))
    post_event(simulator, told)
    deliver_outbox()

    assert attempt_of(order).status == "failed"
    assert captures_of(simulator, order) == []


def test_a_payment_under_review_waits_and_is_paid_when_the_review_is_over(
    simulator: Simulator, order: Order
) -> None:
    approve(simulator, order, outcome="pending")
    payment.check(order)
    attempt = attempt_of(order)
    assert (attempt.status, attempt.capture_asked_at) == ("processing", None)

    simulator.decide_capture(attempt.provider_payment_id, is_completed=True)
    [told] = events_of(simulator, "PAYMENT.CAPTURE.COMPLETED", session_of(order))
    post_event(simulator, told)

    assert_paid_once(simulator, order)


def test_a_payment_whose_review_ends_badly_has_failed(simulator: Simulator, order: Order) -> None:
    approve(simulator, order, outcome="pending")
    payment.check(order)

    simulator.decide_capture(attempt_of(order).provider_payment_id, is_completed=False)
    [told] = events_of(simulator, "PAYMENT.CAPTURE.DENIED", session_of(order))
    post_event(simulator, told)
    deliver_outbox()

    attempt = attempt_of(order)
    assert (attempt.status, attempt.failure) == ("failed", "DECLINED_BY_RISK_FRAUD_FILTERS")
    assert not PaymentTransaction.objects.exists()


def test_an_order_that_was_given_up_is_approved_later_and_costs_nothing(
    simulator: Simulator, order: Order
) -> None:
    cancellation.cancel_unpaid(order, by=None)

    approve(simulator, order)
    [told] = events_of(simulator, "CHECKOUT.ORDER.APPROVED", session_of(order))
    post_event(simulator, told)
    deliver_outbox()
    payment.check(order, ended_too=True)

    order.refresh_from_db()
    assert (order.status, attempt_of(order).status) == ("cancelled", "expired")
    assert captures_of(simulator, order) == []
    assert ProviderEvent.objects.get().outcome == "attempt is expired"


def test_an_order_that_was_approved_and_then_given_up_costs_nothing(
    simulator: Simulator, order: Order
) -> None:
    approve(simulator, order)

    settlement.settle(attempt_of(order).pk, give_up=True)
    expiry.sweep()

    assert attempt_of(order).status == "expired"
    assert captures_of(simulator, order) == []


def test_an_order_is_not_given_up_while_its_money_may_be_on_its_way(
    simulator: Simulator, order: Order
) -> None:
    approve(simulator, order)
    simulator.add_fault(CAPTURE, "timeout_before", seconds=0)
    with pytest.raises(ProviderUnavailable):
        payment.check(order)

    with pytest.raises(ActionNotAllowed, match="it is being paid"):
        cancellation.cancel_unpaid(order, by=None)
    assert attempt_of(order).status == "processing"

    PaymentAttempt.objects.update(capture_asked_at=now() - timedelta(minutes=2))
    cancellation.cancel_unpaid(order, by=None)
    assert attempt_of(order).status == "expired"
    assert captures_of(simulator, order) == []


def test_what_was_read_before_a_capture_began_does_not_give_the_order_up(
    simulator: Simulator, order: Order
) -> None:
    attempt = attempt_of(order)
    old_answer = settlement._fetch(attempt, give_up=True)
    approve(simulator, order)
    assert settlement._note_capture(attempt.pk) is not None

    settlement._apply(attempt.pk, old_answer)

    assert old_answer.state.status.value == "expired"
    assert attempt_of(order).status == "processing"
    payment.check(order)
    assert_paid_once(simulator, order)


def test_money_that_came_after_all_is_not_lost(simulator: Simulator, order: Order) -> None:
    approve(simulator, order)
    cancellation.cancel_unpaid(order, by=None)
    paypal_orders.capture(simulator.provider, session_of(order))

    [told] = events_of(simulator, "PAYMENT.CAPTURE.COMPLETED", session_of(order))
    post_event(simulator, told)
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert captures_of(simulator, order) == ["REFUNDED"]


def test_an_order_that_ran_out_at_paypal_frees_the_pieces_when_its_time_is_over(
    simulator: Simulator, order: Order
) -> None:
    paypal_orders.run_out(simulator.provider, session_of(order))
    assert expiry.sweep() == 0
    assert attempt_of(order).failure.startswith("unknown at the provider: INVALID_RESOURCE_ID")

    Order.objects.update(expires_at=now() - timedelta(seconds=1))

    assert expiry.sweep() == 1
    assert attempt_of(order).status == "expired"


def test_an_invoice_that_was_paid_by_another_order_is_not_taken_and_staff_can_see_why(
    simulator: Simulator, order: Order
) -> None:
    twin_id = session_of(order)
    body = paypal_orders.get_order(simulator.provider, twin_id)
    twin = paypal_orders.open_order(
        simulator.provider,
        {
            "purchase_units": [body["unit"]],
            "payment_source": {"paypal": {"experience_context": body["context"]}},
        },
    )
    paypal_orders.approve(simulator.provider, twin["id"])
    paypal_orders.capture(simulator.provider, twin["id"])
    approve(simulator, order)

    with pytest.raises(ProviderRefused):
        payment.check(order)

    attempt = attempt_of(order)
    assert attempt.status == "processing"
    assert attempt.failure.startswith("not captured: DUPLICATE_INVOICE_ID")
    assert captures_of(simulator, order) == ["COMPLETED"]


def test_an_order_whose_start_we_did_not_live_to_record_is_found_by_its_news(
    simulator: Simulator, order: Order
) -> None:
    order_id = session_of(order)
    PaymentAttempt.objects.update(provider_session_id="", redirect_url="", status="created")
    simulator.approve_order(order_id, webhook="never")

    [told] = events_of(simulator, "CHECKOUT.ORDER.APPROVED", order_id)
    post_event(simulator, told)

    assert_paid_once(simulator, order)


def test_an_order_that_was_approved_before_its_page_was_known_leads_to_the_return_page(
    simulator: Simulator, order: Order
) -> None:
    approve(simulator, order)
    PaymentAttempt.objects.update(redirect_url="")

    assert f"/orders/{order.number}/returned/" in payment.start(order)


def test_a_token_that_paypal_forgot_is_replaced_without_anybody_noticing(
    simulator: Simulator, order: Order
) -> None:
    simulator.provider.paypal_tokens.clear()
    approve(simulator, order)

    payment.check(order)

    assert_paid_once(simulator, order)


def test_a_token_is_asked_for_once(simulator: Simulator, order: Order) -> None:
    before = len(simulator.provider.paypal_tokens)

    for _time in range(3):
        payment.check(order)

    assert len(simulator.provider.paypal_tokens) == before


def test_a_secret_that_paypal_does_not_know_says_nothing_about_the_payment(
    simulator: Simulator, order: Order, settings: Any
) -> None:
    settings.PAYPAL_CLIENT_SECRET = "another"
    get_gateway.cache_clear()

    with pytest.raises(ProviderUnavailable):
        payment.check(order)

    assert attempt_of(order).status == "started"


def test_paypal_is_never_asked_while_a_transaction_is_open(
    simulator: Simulator, order: Order
) -> None:
    gateway = get_gateway("paypal")

    with transaction.atomic(), pytest.raises(TransactionRuleBroken):
        gateway.fetch(session_id=session_of(order))


def test_another_amount_is_held_for_staff(simulator: Simulator, order: Order) -> None:
    PaymentAttempt.objects.update(amount=Decimal("52.91"))
    approve(simulator, order)

    payment.check(order)

    attempt = attempt_of(order)
    assert attempt.status == "held"
    assert " EUR was asked for, " in attempt.failure


def test_reading_fails_and_nothing_is_assumed(simulator: Simulator, order: Order) -> None:
    approve(simulator, order)
    simulator.add_fault(READ, "error_500_before")

    with pytest.raises(ProviderUnavailable):
        payment.check(order)

    assert attempt_of(order).status == "started"
    assert captures_of(simulator, order) == []


def test_a_paid_order_is_paid_whatever_else_is_asked(simulator: Simulator) -> None:
    order = paid_order(simulator)

    settlement.settle(attempt_of(order).pk, give_up=True)

    assert_paid_once(simulator, order)


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [("5.00", "EUR", "5.00"), ("500", "JPY", "500"), ("1200.00", "HUF", "1200")],
)
def test_amounts_are_written_as_paypal_takes_them(amount: str, currency: str, written: str) -> None:
    money = Money(Decimal(amount), currency)

    assert to_paypal(money) == {"currency_code": currency, "value": written}
    assert from_paypal(to_paypal(money)) == money


@pytest.mark.parametrize(("amount", "currency"), [("12.50", "HUF"), ("5.120", "KWD"), ("5", "INR")])
def test_an_amount_that_paypal_cannot_take_is_refused_before_anybody_is_asked(
    amount: str, currency: str
) -> None:
    with pytest.raises(ProviderRefused) as refused:
        to_paypal(Money(Decimal(amount), currency))

    assert refused.value.reason.startswith("PayPal takes no amount of ")


@pytest.mark.parametrize("written", [{}, {"value": "x", "currency_code": "EUR"}, {"value": "1"}])
def test_an_amount_that_cannot_be_read_is_no_payment(written: dict[str, str]) -> None:
    with pytest.raises(ProviderUnavailable):
        from_paypal(written)


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"status": "CREATED"}, "open"),
        ({"status": "SAVED"}, "open"),
        ({"status": "VOIDED"}, "expired"),
        ({"status": "APPROVED"}, "approved"),
    ],
)
def test_every_state_of_an_unpaid_order_is_understood(order: dict[str, Any], status: str) -> None:
    assert gateway_module._state_of(order).status.value == status


def test_a_state_that_nobody_knows_is_no_answer() -> None:
    with pytest.raises(ProviderUnavailable):
        gateway_module._state_of({"status": "COMPLETED", "purchase_units": [{}]})
