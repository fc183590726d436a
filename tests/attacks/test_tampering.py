"""What a form does not have cannot be sent: neither a price nor a right nor somebody else's name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import SellerMember, User
from cart.models import CartItem
from orders.models import Order
from payments.models import PaymentAttempt
from payments.simulator.running import Simulator
from tests.factories.accounts import SellerFactory, UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import make_delivery
from tests.forms import read_form
from tests.journeys.shopper import Shopper

pytestmark = pytest.mark.django_db

PRICES = {
    "price": "0.01", "unit_price": "0.01", "total": "0.01", "grand_total": "0.01", "discount": "99",
    "items_total": "0.01", "shipping_total": "0", "tax_total": "0", "currency": "JPY",
}  # fmt: skip
STATES = {
    "status": "paid",
    "payment_status": "paid",
    "fulfilment_status": "shipped",
    "number": "ME",
}


def test_an_order_costs_what_the_shop_says_whatever_else_is_sent(simulator: Simulator) -> None:
    make_delivery()
    boss = UserFactory(is_staff=True, is_superuser=True)
    shopper = Shopper()
    shopper.put(VariantFactory(stock=3, price=Decimal("24.00")), 2)

    answer = shopper.place(**PRICES, **STATES, user=str(boss.pk), user_id=str(boss.pk))

    order, attempt = Order.objects.get(), PaymentAttempt.objects.get()
    assert answer.status_code == 302
    assert (order.total, order.currency) == (Decimal("52.90"), "EUR")
    assert (order.status, order.payment_status, order.user) == ("pending", "pending", None)
    assert order.number != "ME"
    assert (attempt.amount, attempt.currency) == (Decimal("52.90"), "EUR")


@pytest.mark.parametrize(
    "quantity", ["-1", "0", "0.5", "1e9", "NaN", "Infinity", "1" * 30, "0x10", "1;2", "-0", " "]
)
def test_no_quantity_makes_a_cart_worth_less_than_nothing(quantity: str) -> None:
    shopper = Shopper()

    shopper.put(VariantFactory(stock=3), quantity)

    assert all(1 <= each.quantity <= 3 for each in CartItem.objects.all())


def test_who_signs_up_is_nobody_special_whatever_is_sent() -> None:
    browser = Client()
    rights = dict.fromkeys(("is_staff", "is_superuser", "is_active"), "on")
    seller = SellerFactory()

    browser.post(
        "/accounts/signup/",
        {
            "email": "eve@example.com", "password1": "a long enough password", **rights,
            "groups": "1", "user_permissions": "1", "seller": str(seller.pk), "role": "owner",
            "pk": "1", "id": "1",
        },
    )  # fmt: skip

    eve = User.objects.get(email="eve@example.com")
    assert (eve.is_staff, eve.is_superuser) == (False, False)
    assert not eve.groups.exists()
    assert not eve.user_permissions.exists()
    assert not SellerMember.objects.filter(user=eve).exists()


def test_of_a_field_sent_twice_one_counts_and_the_price_does_not_change(
    simulator: Simulator,
) -> None:
    make_delivery()
    shopper = Shopper()
    shopper.put(VariantFactory(stock=3, price=Decimal("24.00")))
    page = shopper.open_checkout()
    fields: dict[str, Any] = {name: [value, value] for name, value in shopper.fill(page).items()}

    shopper.client.post("/checkout/", fields | {"seen_total": ["0.01", read_total(page)]})

    assert Order.objects.get().total == Decimal("28.90")


def read_total(page: Any) -> str:
    return read_form(page, "/checkout/")["seen_total"]
