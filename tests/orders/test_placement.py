"""Placement freezes what the shopper saw, all of it or nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from cart.models import CartItem, ShippingMethod
from cart.queries import get_cart_view
from catalog.errors import OutOfStock
from catalog.models import StockLevel, StockMovement
from orders.errors import CartChanged, CartNeedsAttention, NotDeliverable, TotalChanged
from orders.models import Order, OrderLine, SellerOrder, TaxLine
from orders.services import placement
from orders.services.placement import Address
from payments.models import PaymentAttempt
from shop.errors import BusyError
from shop.models import OutboxMessage, TaxClass, TaxRate
from shop.money import Money
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import BERLIN, make_cart, make_delivery, place_order
from tests.journeys.seller import reprice
from tests.races.threads import at_once

pytestmark = pytest.mark.django_db


def place(cart: Any, total: str, **changes: Any) -> Order:
    wishes = {
        "email": "ada@example.com",
        "address": BERLIN,
        "delivery_code": "standard",
        "submit_key": cart.submit_key,
        "seen_total": Money(Decimal(total), "EUR"),
        "seen_lines": get_cart_view(cart.pk).fingerprint,
        "language": "en",
    }
    return placement.place(cart, **(wishes | changes))


def assert_nothing_happened(cart: Any) -> None:
    cart.refresh_from_db()
    assert cart.is_open
    for model in (Order, OrderLine, PaymentAttempt, OutboxMessage):
        assert model.objects.count() == 0
    assert not StockLevel.objects.exclude(allocated=0).exists()
    assert not StockMovement.objects.filter(kind="allocation").exists()


def test_an_order_keeps_prices_taxes_names_and_address_as_they_were() -> None:
    order = place_order(VariantFactory(price=Decimal("24.00"), product__title="Dune mug"))

    reprice("99")
    TaxRate.objects.update(percent=Decimal("25"))
    ShippingMethod.objects.update(name="Another name")

    order.refresh_from_db()
    line = order.lines.get()
    assert (order.items_total, order.shipping_total, order.tax_total, order.total) == (
        Decimal("24.0000"),
        Decimal("4.9000"),
        Decimal("4.6100"),
        Decimal("28.9000"),
    )
    assert (line.title, line.unit_price, line.tax_percent) == (
        "Dune mug",
        Decimal("24.0000"),
        Decimal("19.000"),
    )
    assert (line.net, line.tax, line.gross) == (
        Decimal("20.1700"),
        Decimal("3.8300"),
        Decimal("24.0000"),
    )
    assert order.shipping_label == "Standard"
    assert order.addresses.get().street == "Unter den Linden 1"


def test_prices_without_tax_get_it_on_top(settings: Any) -> None:
    settings.SHOP_PRICES_INCLUDE_TAX = False
    make_delivery()
    cart = make_cart(VariantFactory(price=Decimal("24.00")))

    order = place(cart, "34.39")

    line = order.lines.get()
    assert (order.items_total, order.tax_total, order.total) == (
        Decimal("24.00"),
        Decimal("5.49"),
        Decimal("34.39"),
    )
    assert (line.net, line.tax, line.gross) == (
        Decimal("24.0000"),
        Decimal("4.5600"),
        Decimal("28.5600"),
    )


def test_goods_of_two_tax_classes_get_a_tax_line_each() -> None:
    make_delivery()
    books = TaxClass.objects.create(code="books", name="Books")
    TaxRate.objects.create(tax_class=books, country="DE", name="VAT", percent=Decimal(7))
    mug = VariantFactory(price=Decimal("11.90"))
    book = VariantFactory(price=Decimal("10.70"), product__tax_class=books)
    cart = make_cart(mug, book)

    order = place(cart, "27.50")

    assert list(TaxLine.objects.filter(order=order).values_list("percent", "net", "tax")) == [
        (Decimal("19.000"), Decimal("14.1200"), Decimal("2.6800")),
        (Decimal("7.000"), Decimal("10.0000"), Decimal("0.7000")),
    ]


def test_each_seller_gets_a_part_of_the_order() -> None:
    make_delivery()
    one, two = SellerFactory(), SellerFactory()
    cart = make_cart(
        VariantFactory(price=Decimal("10.00"), product__seller=one),
        VariantFactory(price=Decimal("20.00"), product__seller=two),
        VariantFactory(price=Decimal("5.00"), product__seller=one),
    )

    place(cart, "39.90")

    assert list(SellerOrder.objects.order_by("seller").values_list("seller", "items_total")) == [
        (one.pk, Decimal("15.0000")),
        (two.pk, Decimal("20.0000")),
    ]


def test_an_order_that_costs_nothing_is_placed_at_once_without_a_payment() -> None:
    make_delivery(price="0")
    cart = make_cart(VariantFactory(stock=3, price=Decimal("0.00")))

    order = place(cart, "0")

    level = StockLevel.objects.get()
    assert (order.status, order.payment_status) == ("placed", "paid")
    assert (level.on_hand, level.allocated) == (2, 0)
    assert PaymentAttempt.objects.count() == 0
    assert OutboxMessage.objects.get().payload["kind"] == "confirmation"


def test_placing_the_same_form_again_returns_the_first_order() -> None:
    make_delivery()
    cart = make_cart(VariantFactory())

    first, second = place(cart, "28.90"), place(cart, "28.90")

    assert first == second
    assert StockLevel.objects.get().allocated == 1


def test_an_order_number_that_is_taken_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = place_order(VariantFactory()).number
    numbers = iter([taken, "ABCDEFGH"])
    monkeypatch.setattr(placement, "_draw_number", lambda: next(numbers))

    assert place_order(VariantFactory()).number == "ABCDEFGH"


def test_order_numbers_do_not_tell_how_many_orders_there_are() -> None:
    numbers = {placement._draw_number() for _ in range(200)}

    assert len(numbers) == 200
    assert all(set(number) <= set(placement.NUMBER_ALPHABET) for number in numbers)
    assert {len(number) for number in numbers} == {8}


def test_what_is_made_to_order_holds_no_stock() -> None:
    order = place_order(VariantFactory(tracks_stock=False), quantity=20)

    assert order.lines.get().is_stock_held is False
    assert StockLevel.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "total", "error"),
    [
        ({}, "28.89", TotalChanged),
        ({"delivery_code": "carrier-pigeon"}, "28.90", NotDeliverable),
        ({"address": Address("A", "B", "8001", "Zürich", "", "CH")}, "28.90", NotDeliverable),
        ({"submit_key": "5d1c46bb-8a3e-4a4b-9a6d-6a1f6e6d3f30"}, "28.90", CartChanged),
    ],
)
def test_what_the_shopper_did_not_see_is_not_ordered(
    changes: dict[str, Any], total: str, error: type[Exception]
) -> None:
    make_delivery()
    cart = make_cart(VariantFactory())

    with pytest.raises(error):
        place(cart, total, **changes)

    assert_nothing_happened(cart)


def test_an_empty_cart_is_not_ordered() -> None:
    make_delivery()
    cart = make_cart()

    with pytest.raises(CartNeedsAttention):
        place(cart, "4.90")

    assert_nothing_happened(cart)


def test_one_line_too_many_and_nothing_at_all_is_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    make_delivery()
    cart = make_cart(VariantFactory(stock=5), VariantFactory(stock=1))
    monkeypatch.setattr("cart.queries.CartLine.can_be_bought", True)
    CartItem.objects.update(quantity=2)

    with pytest.raises(OutOfStock):
        place(cart, "100.90")

    assert_nothing_happened(cart)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_rows_that_stay_locked_lead_to_busy_and_nothing_else() -> None:
    make_delivery()
    cart = make_cart(VariantFactory())

    def place_impatiently() -> Order:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '20ms'")
        return place(cart, "28.90")

    with transaction.atomic():
        list(StockLevel.objects.select_for_update())
        (result,) = at_once(place_impatiently)

    assert isinstance(result, BusyError)
    assert str(result) == (
        "The shop is very busy right now. Nothing was charged; please try again."
    )
    assert_nothing_happened(cart)
