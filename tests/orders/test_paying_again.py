"""Another way to pay for the same order: the first is closed before the second is opened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import expiry, payment
from payments.methods import get_deadline
from payments.models import PaymentAttempt
from payments.simulator.running import Simulator
from shop.clock import now
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery, place_order
from tests.forms import submit
from tests.journeys.shopper import Shopper, attempt_of, pay, session_of, words_of
from tests.outbox import deliver_outbox
from tests.payments.simulated import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mails(settings: Any, simulator: Simulator) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.SHOP_OFFLINE_PAYMENT = "transfer"
    yield
    simulator.provider.faults.clear()


@pytest.fixture
def shopper() -> Shopper:
    make_delivery()
    return Shopper()


def tried(order: Order) -> list[tuple[str, str]]:
    return list(
        PaymentAttempt.objects.filter(pk__in=order.payments.values("attempt"))
        .order_by("pk")
        .values_list("provider", "status")
    )


def choose(shopper: Shopper, order: Order, method: str, page: Any = None) -> Any:
    page = page or shopper.client.get(f"/orders/{order.number}/")
    return submit(shopper.client, page, f"/orders/{order.number}/pay/", {"method": method})


def test_from_the_card_to_a_transfer_and_back(simulator: Simulator, shopper: Shopper) -> None:
    order = shopper.buy(VariantFactory(stock=3))
    card_page = session_of(order)
    page = words_of(shopper.client.get(f"/orders/{order.number}/"))
    assert 'name="method" value="offline">Bank transfer</button>' in page

    to_transfer = choose(shopper, order, "offline")
    shown = shopper.see(order)
    to_card = choose(shopper, order, "stripe")

    assert to_transfer.url == f"/orders/{order.number}/"
    assert "Waiting for your transfer" in shown
    assert 'name="method" value="stripe">Card or wallet</button>' in shown
    closed = client_of(simulator).v1.checkout.sessions.retrieve(card_page)
    assert closed.status == "expired"
    assert to_card.url == f"{simulator.url}/pay/{session_of(order)}"
    assert tried(order) == [("stripe", "expired"), ("offline", "expired"), ("stripe", "started")]
    order.refresh_from_db()
    assert order.status == "pending"


def test_the_order_keeps_the_longer_time_and_the_card_its_short_one(shopper: Shopper) -> None:
    order = shopper.buy(VariantFactory(stock=3))

    choose(shopper, order, "offline")
    until = get_deadline("offline", since=order.created_at)
    choose(shopper, order, "stripe")

    order.refresh_from_db()
    assert order.expires_at == until
    assert attempt_of(order).expires_at < now() + timedelta(minutes=46)


def test_a_card_may_still_be_chosen_days_later_while_the_order_waits_for_a_transfer(
    simulator: Simulator, shopper: Shopper
) -> None:
    order = shopper.buy(VariantFactory(stock=3))
    choose(shopper, order, "offline")
    Order.objects.update(created_at=now() - timedelta(days=3))

    assert choose(shopper, order, "stripe").url.startswith(f"{simulator.url}/pay/")


def test_the_days_for_a_transfer_count_from_the_order_on(shopper: Shopper, settings: Any) -> None:
    settings.SHOP_OFFLINE_DAYS = 2
    order = shopper.buy(VariantFactory(stock=3))
    Order.objects.update(created_at=now() - timedelta(days=4))

    page = choose(shopper, order, "offline")

    assert "The time to pay this order is over." in words_of(shopper.client.get(page.url))
    assert tried(order) == [("stripe", "expired")]


def test_the_transfer_chosen_later_is_told_by_mail_and_once(shopper: Shopper) -> None:
    order = shopper.buy(VariantFactory(stock=3))

    for _ in range(2):
        choose(shopper, order, "offline")
    deliver_outbox()

    assert [each.subject for each in mail.outbox] == [
        f"How to pay for order {order.number} – Emporium"
    ]
    assert tried(order) == [("stripe", "expired"), ("offline", "started")]


def test_what_was_paid_on_the_first_page_counts_and_no_second_one_is_opened(
    simulator: Simulator, shopper: Shopper
) -> None:
    order = shopper.buy(VariantFactory(stock=3))
    page = shopper.client.get(f"/orders/{order.number}/")
    pay(simulator, order)

    answer = choose(shopper, order, "offline", page)

    shown = words_of(shopper.client.get(answer.url))
    assert "Your first payment went through: nothing more is to be paid." in shown
    assert "Thank you for your order" in shown
    assert tried(order) == [("stripe", "captured")]


@pytest.mark.parametrize("fault", ["timeout_before", "error_500_before", "bad_json"])
def test_while_the_first_provider_cannot_be_asked_no_second_one_is_opened(
    simulator: Simulator, shopper: Shopper, fault: str
) -> None:
    order = shopper.buy(VariantFactory(stock=3))
    simulator.add_fault("checkout.sessions.retrieve", fault, seconds=0.05)

    answer = choose(shopper, order, "offline")

    assert "we have not begun a second one" in words_of(shopper.client.get(answer.url))
    assert tried(order) == [("stripe", "started")]


def test_while_a_bank_still_works_on_it_no_second_one_is_opened(shopper: Shopper) -> None:
    order = shopper.buy(VariantFactory(stock=3))
    PaymentAttempt.objects.update(status="processing", provider_session_id="")

    with pytest.raises(ActionNotAllowed):
        payment._current_attempt(order.pk, "offline")

    assert tried(order) == [("stripe", "processing")]


def test_a_provider_that_is_away_leaves_the_other_ways_open(
    simulator: Simulator, shopper: Shopper
) -> None:
    """The page was never opened as far as we know, so nobody can pay on it."""
    simulator.add_fault("checkout.sessions.create", "error_500_before")
    shopper.put(VariantFactory(stock=3))
    shopper.place()
    order = Order.objects.get()

    choose(shopper, order, "offline")

    assert tried(order) == [("stripe", "expired"), ("offline", "started")]
    assert "Waiting for your transfer" in shopper.see(order)


@pytest.mark.parametrize("method", ["paypal", "cheque", "\0"])
def test_what_is_not_offered_is_refused_and_the_first_page_stays_open(
    simulator: Simulator, shopper: Shopper, settings: Any, method: str
) -> None:
    settings.PAYPAL_IS_ON = False
    order = shopper.buy(VariantFactory(stock=3))

    answer = choose(shopper, order, method)

    assert "This way to pay is not offered any more." in words_of(shopper.client.get(answer.url))
    assert tried(order) == [("stripe", "started")]
    session = client_of(simulator).v1.checkout.sessions.retrieve(session_of(order))
    assert session.status == "open"


def test_with_one_way_to_pay_no_other_is_offered(shopper: Shopper, settings: Any) -> None:
    settings.SHOP_OFFLINE_PAYMENT, settings.PAYPAL_IS_ON = "off", False
    order = shopper.buy(VariantFactory(stock=3))

    assert "Or pay in another way:" not in shopper.see(order)


def test_a_transfer_that_is_offered_no_more_can_be_finished_or_paid_by_card(
    simulator: Simulator, shopper: Shopper, settings: Any
) -> None:
    shopper.put(VariantFactory(stock=3))
    shopper.place(payment_method="offline")
    order = Order.objects.get()
    settings.SHOP_OFFLINE_PAYMENT = "off"

    assert "Waiting for your transfer" in shopper.see(order)
    assert choose(shopper, order, "stripe").url.startswith(f"{simulator.url}/pay/")


def test_an_order_that_was_not_paid_in_time_offers_nothing(shopper: Shopper) -> None:
    order = shopper.buy(VariantFactory(stock=3))
    page = shopper.client.get(f"/orders/{order.number}/")
    Order.objects.update(expires_at=now() - timedelta(seconds=1))
    expiry.sweep()

    answer = choose(shopper, order, "offline", page)

    assert answer.url == f"/orders/{order.number}/"
    assert tried(order) == [("stripe", "expired")]
    assert "Or pay in another way:" not in shopper.see(order)


def test_a_stranger_cannot_choose_for_somebody_else(shopper: Shopper) -> None:
    order = shopper.buy(VariantFactory(stock=3))
    stranger = Shopper()
    token = stranger.client.get("/accounts/login/").cookies["csrftoken"].value

    answer = stranger.client.post(
        f"/orders/{order.number}/pay/", {"method": "offline", "csrfmiddlewaretoken": token}
    )

    assert answer.status_code == 404
    assert tried(order) == [("stripe", "started")]


def test_each_new_try_stands_in_the_timeline_with_its_way(shopper: Shopper) -> None:
    order = shopper.buy(VariantFactory(stock=3))

    choose(shopper, order, "offline")

    [started] = order.events.filter(kind="payment_started")
    assert started.message == "A new payment was started: Bank transfer."


def test_without_a_choice_the_last_one_goes_on(simulator: Simulator) -> None:
    order = place_order(VariantFactory(stock=3), provider="offline")

    assert payment.start(order) == payment.start(order) == ""
    assert tried(order) == [("offline", "started")]
