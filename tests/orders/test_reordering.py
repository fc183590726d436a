"""Buying again: what is still sold is in the cart, at today's prices, and the rest is said."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from cart.models import CartItem
from catalog.models import ProductVariant
from catalog.services import stock
from orders.models import Order
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.forms import submit
from tests.journeys.shopper import words_of

pytestmark = [pytest.mark.django_db, pytest.mark.breaks_invariants]


def order_of_somebody(client: Client, *variants: ProductVariant, quantity: int = 2) -> Order:
    user = UserFactory()
    order = place_order(*variants, quantity=quantity, user=user)
    Order.objects.filter(pk=order.pk).update(
        status="completed", payment_status="paid", paid_at=order.created_at
    )
    client.force_login(user)
    return order


def press_again(client: Client, order: Order) -> str:
    page = client.get(f"/orders/{order.number}/")
    answer = submit(client, page, f"/orders/{order.number}/again/")
    assert (answer.status_code, answer.url) == (302, "/cart/")
    return words_of(client.get("/cart/"))


def held() -> dict[int, tuple[int, Decimal]]:
    rows = CartItem.objects.filter(cart__closed_at=None)
    return {row.variant_id: (row.quantity, row.seen_price) for row in rows}


def test_everything_is_in_the_cart_at_the_prices_of_today(client: Client) -> None:
    mug, bowl = VariantFactory(price=Decimal("24.00")), VariantFactory(price=Decimal("30.00"))
    order = order_of_somebody(client, mug, bowl)
    ProductVariant.objects.filter(pk=mug.pk).update(price=Decimal("26.00"))

    words = press_again(client, order)

    assert held() == {mug.pk: (2, Decimal("26.00")), bowl.pk: (2, Decimal("30.00"))}
    assert "It is in your cart, at the prices of today." in words


def test_pressing_twice_doubles_nothing(client: Client) -> None:
    mug = VariantFactory()
    order = order_of_somebody(client, mug)

    press_again(client, order)
    press_again(client, order)

    assert [quantity for quantity, _price in held().values()] == [2]


def test_what_is_gone_is_said_and_the_rest_comes(client: Client) -> None:
    mug, hidden, sold_out, deleted, few = (
        VariantFactory(product__title=title, stock=4)
        for title in ("Mug", "Hidden", "Sold out", "Deleted", "Few")
    )
    order = order_of_somebody(client, mug, hidden, sold_out, deleted, few)
    ProductVariant.objects.filter(pk=hidden.pk).update(is_active=False)
    order.lines.filter(variant=deleted).update(variant=None)
    stock.count(sold_out, 2, reason="found fewer")
    stock.count(few, 3, reason="found fewer")

    words = press_again(client, order)

    assert {pk: quantity for pk, (quantity, _price) in held().items()} == {mug.pk: 2, few.pk: 1}
    for title in ("Hidden", "Sold out", "Deleted"):
        note = f"{title} could not be put in: it is sold out or no longer for sale."
        assert note in words
    assert "There is only 1 piece of Few; it is in your cart." in words


def test_nobody_buys_again_what_they_may_not_see(client: Client) -> None:
    order = order_of_somebody(client, VariantFactory())
    stranger = Client()

    assert stranger.post(f"/orders/{order.number}/again/").status_code == 404
    assert not held()
