"""Events that never arrived are read from the provider's list; nothing else has to happen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orders.models import Order
from orders.services import payment
from payments import gateways
from payments.models import ProviderEvent, Refund
from payments.services import listing
from payments.simulator.running import Simulator, running_simulator
from shop.models import OutboxMessage
from shop.services import relay
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import pay, session_of
from tests.outbox import deliver_outbox
from tests.payments.events import event_of, list_events, post_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def simulator(settings: Any) -> Iterator[Simulator]:
    """A provider of its own: nothing in its list is left from other tests."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with running_simulator() as simulator:
        settings.STRIPE_API_BASE = settings.STRIPE_CHECKOUT_ORIGIN = simulator.url
        settings.PAYPAL_API_BASE = simulator.url
        gateways.get_gateway.cache_clear()
        yield simulator
    gateways.get_gateway.cache_clear()


@pytest.fixture
def order(simulator: Simulator) -> Order:
    """An order that is paid at the provider, and nobody told us."""
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    pay(simulator, order)
    return order


def run_task(name: str) -> None:
    relay.registered_tasks()[name].apply(throw=True)


def test_an_order_is_settled_by_the_listing_alone(order: Order) -> None:
    run_task("payments.list_events")
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("placed", "paid")
    assert sorted(ProviderEvent.objects.values_list("type", "outcome")) == [
        ("charge.succeeded", "attempt is captured"),
        ("checkout.session.completed", "attempt is captured"),
        ("payment_intent.succeeded", "attempt is captured"),
    ]


def test_an_event_is_stored_once_whether_it_is_listed_or_told(
    simulator: Simulator, order: Order
) -> None:
    post_event(event_of(simulator, session_of(order), "checkout.session.completed"))

    first, second = listing.list_events("stripe"), listing.list_events("stripe")
    for event in list_events(simulator, session_of(order)):
        post_event(event)
    deliver_outbox()

    told = [e for e in list_events(simulator, session_of(order)) if e["pending_webhooks"] == 0]
    assert (first, second) == (2, 0)
    assert ProviderEvent.objects.count() == len(told)
    assert OutboxMessage.objects.filter(task="payments.apply_event").count() == len(told)


def test_a_long_list_is_read_page_by_page_and_by_tasks_of_its_own(
    simulator: Simulator, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    from payments.gateways import stripe_books

    simulator.begin_refund(session_of(order), webhook="never")
    monkeypatch.setattr(stripe_books, "PAGE", 1)
    monkeypatch.setattr(listing, "MOST_PAGES", 2)

    assert listing.list_events("stripe") == 2
    assert listing.list_events("stripe") == 0
    assert OutboxMessage.objects.filter(task="payments.list_more_events").count() == 1
    deliver_outbox()

    order.refresh_from_db()
    assert ProviderEvent.objects.count() == 5
    assert Refund.objects.get().status == "succeeded"
    assert order.payment_status == "refunded"


def test_what_was_delivered_and_what_is_older_than_three_days_is_not_listed(
    simulator: Simulator, order: Order
) -> None:
    simulator.provider.store._run("UPDATE deliveries SET state = 'delivered' WHERE id = 1")
    simulator.provider.store._run("UPDATE documents SET created = created - 260000 WHERE seq = 6")

    assert listing.list_events("stripe") == 1


def test_a_provider_that_does_not_answer_is_asked_an_hour_later(
    simulator: Simulator, order: Order
) -> None:
    simulator.add_fault("events.list", "error_500_before")

    assert listing.list_everywhere() == 0
    assert listing.list_everywhere() == 3
