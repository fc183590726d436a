"""One page explains an order from every row that is about it; only staff read it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from orders.services import cancellation, payment, refunding
from payments.simulator.running import Simulator
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import pay, session_of
from tests.orders.admin_steps import make_admin, make_packer, place_paid_order, sign_in
from tests.outbox import deliver_outbox
from tests.payments.events import event_of, post_event

pytestmark = pytest.mark.django_db(transaction=True)


def story_of(order: Order) -> str:
    return f"/admin/orders/order/{order.pk}/story/"


def text_of(response) -> str:
    return response.content.decode()


@pytest.fixture
def order(simulator: Simulator, settings) -> Order:
    """Two mugs, paid with the provider's word for it, one of them given back by Alex."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mug = VariantFactory(stock=3, product__title="Dune mug", sku="MUG-1")
    order = place_order(mug, quantity=2)
    payment.start(order)
    pay(simulator, order)
    post_event(event_of(simulator, session_of(order), "checkout.session.completed"))
    deliver_outbox()
    refunding.refund(
        order,
        by=make_admin(),
        lines={order.lines.get().pk: 1},
        restock=True,
        reason="Cracked in the kiln",
        submit_key="once",
    )
    deliver_outbox()
    return order


def test_the_story_tells_who_did_what_and_what_each_provider_said(order: Order) -> None:
    page = text_of(sign_in(make_admin()).get(story_of(order)))

    for words in (
        "Ordered, waiting for payment.",
        "€24.00 goes back for 1 × Dune mug. Cracked in the kiln",
        "Alex Admin",
        "MUG-1",
        "shelf -2, promised -2",
        "paid: €52.90",
        "Refund of €24.00; now refunded",
        "checkout.session.completed",
        "attempt is captured",
        "&quot;payment_status&quot;: &quot;paid&quot;",
        f"notice:{order.pk}:confirmation:",
        f"We refunded €24.00 of order {order.number}",
        "capture:",
        f"placement:{order.pk}",
        "Stripe",
        "€28.90",
    ):
        assert words in page, words


def test_what_happened_stands_in_the_order_in_which_it_happened(order: Order) -> None:
    page = text_of(sign_in(make_admin()).get(story_of(order)))

    ordered, paid, back = (
        page.index(words)
        for words in ("Ordered, waiting for payment.", "Paid €52.90.", "€24.00 goes back")
    )
    assert ordered < paid < back


def test_the_orders_page_leads_to_its_story(order: Order) -> None:
    page = text_of(sign_in(make_admin()).get(f"/admin/orders/order/{order.pk}/change/"))

    assert story_of(order) in page


def test_whoever_may_not_read_the_providers_messages_reads_the_story_without_them(
    order: Order,
) -> None:
    helper = StaffFactory()
    helper.user_permissions.add(Permission.objects.get(codename="view_order"))

    page = text_of(sign_in(helper).get(story_of(order)))

    assert "checkout.session.completed" in page
    assert "&quot;payment_status&quot;" not in page


def test_nobody_but_staff_reads_a_story(order: Order) -> None:
    packer = sign_in(make_packer(order.seller_orders.get().seller))
    outsider = sign_in(StaffFactory())

    assert packer.get(story_of(order)).status_code == 403
    assert outsider.get(story_of(order)).status_code == 403
    assert Client().get(story_of(order)).status_code == 302
    assert sign_in(make_admin()).post(story_of(order)).status_code in (403, 405)


def test_a_long_story_takes_no_more_statements_than_a_short_one(
    simulator: Simulator, order: Order
) -> None:
    staff = sign_in(make_admin())
    short = place_paid_order(VariantFactory())
    deliver_outbox()
    cancellation.cancel(order, by=make_admin(), reason="The other one, too")
    deliver_outbox()

    def count(which: Order) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(story_of(which)).status_code == 200
        return len(queries)

    count(short)
    assert count(order) == count(short)
