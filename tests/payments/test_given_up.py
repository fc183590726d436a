"""Nobody pays for an order that is over, and money that came all the same does not get lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from catalog.models import StockLevel
from orders.models import Order
from orders.services import cancellation, expiry, payment
from payments.errors import AttemptEnded
from payments.models import PaymentAttempt, Refund
from payments.services import attempts
from payments.simulator.running import Simulator
from shop.clock import now
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery, place_order
from tests.journeys.shopper import Shopper, attempt_of, session_in, session_of
from tests.outbox import deliver_outbox
from tests.payments.simulated import client_of

pytestmark = pytest.mark.django_db

CANCEL_PAGE = "checkout.sessions.expire"
READ_PAGE = "checkout.sessions.retrieve"


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator, settings: Any) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    yield
    simulator.provider.faults.clear()


def page_status(simulator: Simulator, session_id: str) -> str | None:
    return client_of(simulator).v1.checkout.sessions.retrieve(session_id).status


def press_pay_while_another_tab_cancels(order: Order) -> None:
    attempt = payment._current_attempt(order.pk)
    cancellation.cancel_unpaid(order, by=None)
    with pytest.raises(AttemptEnded):
        attempts.start(attempt, payment._request(order, attempt))


def let_time_pass(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(expires_at=now() - timedelta(seconds=1))


def open_two_pages(order: Order) -> tuple[str, str]:
    """Open the provider's page twice, as when the first one's answer came very late."""
    first = payment.start(order)
    PaymentAttempt.objects.update(expires_at=now() + timedelta(minutes=5), redirect_url="")
    return session_in(first), session_in(payment.start(order))


def test_a_page_that_opens_while_another_tab_cancels_is_closed_and_nobody_is_sent_there(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3))

    press_pay_while_another_tab_cancels(order)

    assert page_status(simulator, session_of(order)) == "expired"
    assert attempt_of(order).status == "expired"


def test_such_a_page_is_closed_by_the_sweep_when_the_provider_was_away(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3))
    simulator.add_fault(READ_PAGE, "error_500_before")
    press_pay_while_another_tab_cancels(order)
    assert page_status(simulator, session_of(order)) == "open"

    expiry.sweep()

    assert page_status(simulator, session_of(order)) == "expired"


def test_money_paid_on_such_a_page_goes_back_without_any_webhook(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3))
    simulator.add_fault(READ_PAGE, "error_500_before")
    press_pay_while_another_tab_cancels(order)
    simulator.approve(session_of(order), webhook="never")

    expiry.sweep()
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert Refund.objects.get().status == "succeeded"


def test_a_shopper_who_comes_back_from_such_a_page_is_told_that_the_money_goes_back(
    simulator: Simulator,
) -> None:
    make_delivery()
    shopper = Shopper()
    order = shopper.buy(VariantFactory(stock=3))
    session_id = session_of(order)
    simulator.approve(session_id, webhook="never")
    PaymentAttempt.objects.update(status="expired")
    cancellation.cancel_unpaid(order, by=None)

    shopper.come_back(order)
    deliver_outbox()

    assert "Your money is on its way back" in shopper.see(order)


def test_the_second_page_of_an_order_that_was_paid_on_the_first_is_closed(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3))
    first, second = open_two_pages(order)
    simulator.approve(first, webhook="never")
    payment.check(order)

    expiry.sweep()

    assert page_status(simulator, second) == "expired"
    assert sorted(PaymentAttempt.objects.values_list("status", flat=True)) == [
        "captured",
        "expired",
    ]


def test_money_that_a_bank_worked_on_while_staff_cancelled_is_asked_for_and_goes_back(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    PaymentAttempt.objects.update(status="processing")
    session_id = session_of(order)
    simulator.add_fault(READ_PAGE, "error_500_before")
    Order.objects.update(expires_at=now() + timedelta(minutes=30))
    cancellation._cancel(order.pk, by=StaffFactory(), reason="Asked for by phone", restock=True)
    simulator.approve(session_id, webhook="never")

    expiry.sweep()
    expiry.sweep()
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")


def test_while_a_bank_works_on_a_payment_nobody_is_asked_to_pay_again(
    simulator: Simulator,
) -> None:
    make_delivery()
    shopper = Shopper()
    order = shopper.buy(VariantFactory(stock=3))
    page = shopper.client.get(f"/orders/{order.number}/")
    PaymentAttempt.objects.update(status="processing")

    answer = shopper.press(page, f"/orders/{order.number}/pay/")

    assert answer.url == f"/orders/{order.number}/"
    assert PaymentAttempt.objects.count() == 1


def test_a_page_that_the_provider_does_not_know_frees_the_pieces_when_the_time_is_over(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    PaymentAttempt.objects.update(provider_session_id="cs_test_of_another_account")

    assert expiry.sweep() == 0
    assert attempt_of(order).failure.startswith("unknown at the provider: resource_missing")
    let_time_pass(order)

    assert expiry.sweep() == 1
    assert StockLevel.objects.get().allocated == 0


def test_staff_cancel_an_order_whose_page_the_provider_does_not_know(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    PaymentAttempt.objects.update(provider_session_id="cs_test_of_another_account")

    cancellation.cancel(order, by=StaffFactory(), reason="The key was exchanged")

    order.refresh_from_db()
    assert (order.status, attempt_of(order).status) == ("cancelled", "expired")


def test_coming_back_twice_within_a_moment_asks_the_provider_once(simulator: Simulator) -> None:
    make_delivery()
    shopper = Shopper()
    order = shopper.buy(VariantFactory(stock=3))
    shopper.come_back(order)
    asked_at = attempt_of(order).checked_at

    shopper.come_back(order)

    assert attempt_of(order).checked_at == asked_at


def test_an_old_page_that_the_provider_does_not_know_does_not_hide_a_newer_payment(
    simulator: Simulator,
) -> None:
    make_delivery()
    shopper = Shopper()
    order = shopper.buy(VariantFactory(stock=3))
    first, second = open_two_pages(order)
    PaymentAttempt.objects.filter(provider_session_id=first).update(
        provider_session_id="cs_test_of_another_account"
    )
    simulator.approve(second, webhook="never")

    assert "Thank you for your order" in shopper.come_back(order)
