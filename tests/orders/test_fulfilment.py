"""Parcels leave once, hold what was bought, and the order's stage follows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cart.queries import get_cart_view
from cart.services import lines
from orders.errors import ActionNotAllowed
from orders.models import Order, Shipment
from orders.services import fulfilment, placement
from shop.models import OutboxMessage
from shop.money import Money
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import BERLIN, make_cart, make_delivery, place_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    """A paid order of two sellers: three mugs of one, two bowls of the other. It costs nothing."""
    make_delivery(price="0")
    mug = VariantFactory(stock=5, price=Decimal(0), product__seller=SellerFactory(name="A"))
    bowl = VariantFactory(stock=5, price=Decimal(0), product__seller=SellerFactory(name="B"))
    cart = make_cart(mug, quantity=3)
    lines.add(cart, variant_id=bowl.pk, quantity=2)
    return placement.place(
        cart,
        email="ada@example.com",
        address=BERLIN,
        delivery_code="standard",
        submit_key=cart.submit_key,
        seen_total=Money.zero("EUR"),
        seen_lines=get_cart_view(cart.pk).fingerprint,
        language="en",
    )


def parts(order: Order) -> list[Any]:
    return list(order.seller_orders.order_by("seller__name"))


def stage(order: Order) -> tuple[str, str, str]:
    order.refresh_from_db()
    return order.status, order.fulfilment_status, order.stage.value


def notices(kind: str) -> int:
    return OutboxMessage.objects.filter(task="orders.send_notice", payload__kind=kind).count()


def test_the_order_is_shipped_when_the_last_part_is_and_done_when_it_arrived(order: Order) -> None:
    one, two = parts(order)

    first = fulfilment.ship(one, carrier="DHL", tracking_number="JD1", by=None)
    assert stage(order) == ("placed", "partially_fulfilled", "Processing")
    second = fulfilment.ship(two, carrier="DPD", by=None)
    assert stage(order) == ("placed", "fulfilled", "Shipped")
    fulfilment.mark_delivered(first, by=None)
    assert stage(order) == ("placed", "fulfilled", "Shipped")
    fulfilment.mark_delivered(second, by=None)
    fulfilment.mark_delivered(second, by=None)
    assert stage(order) == ("completed", "delivered", "Delivered")
    assert (notices("shipped"), notices("delivered")) == (2, 1)


def test_a_part_is_sent_in_several_parcels(order: Order) -> None:
    mugs = parts(order)[0]
    line = mugs.lines.get()

    fulfilment.ship(mugs, carrier="DHL", quantities={line.pk: 1}, by=None)
    mugs.refresh_from_db()
    assert mugs.fulfilment_status == "partially_fulfilled"
    fulfilment.ship(mugs, carrier="DHL", by=None)

    mugs.refresh_from_db()
    assert mugs.fulfilment_status == "fulfilled"
    assert [parcel.lines.get().quantity for parcel in mugs.shipments.all()] == [1, 2]


@pytest.mark.parametrize("quantity", [4, -1, 0])
def test_neither_more_nor_less_than_something_leaves(order: Order, quantity: int) -> None:
    mugs = parts(order)[0]

    with pytest.raises(ActionNotAllowed):
        fulfilment.ship(mugs, carrier="DHL", quantities={mugs.lines.get().pk: quantity}, by=None)

    assert Shipment.objects.count() == 0
    assert stage(order) == ("placed", "unfulfilled", "Processing")


def test_a_seller_does_not_send_what_another_one_sells(order: Order) -> None:
    mugs, bowls = parts(order)

    with pytest.raises(ActionNotAllowed):
        fulfilment.ship(mugs, carrier="DHL", quantities={bowls.lines.get().pk: 1}, by=None)

    assert Shipment.objects.count() == 0


def test_nothing_leaves_twice(order: Order) -> None:
    mugs = parts(order)[0]
    fulfilment.ship(mugs, carrier="DHL", by=None)

    with pytest.raises(ActionNotAllowed):
        fulfilment.ship(mugs, carrier="DHL", by=None)

    assert Shipment.objects.count() == 1


def test_an_unpaid_order_is_not_shipped() -> None:
    order = place_order(VariantFactory())

    with pytest.raises(ActionNotAllowed):
        fulfilment.ship(order.seller_orders.get(), carrier="DHL", by=None)

    assert stage(order) == ("pending", "unfulfilled", "Pending")
